// Packing for one element type and instruction set: a piece of A or B in the order in which tiles read it.
// Included by matmul_block.h.

/// to[p * to_step + i] = from[i * across + p] for the rows i of a square of 16 bytes.
INLINE void NAME(transpose)(T *to, int64_t to_step, const T *from, int64_t across, int64_t k) {
    const int64_t side = 16 / sizeof(T);
    int64_t p = 0;
    for (; p + side <= k; p += side) NAME(transpose_square)(to + p * to_step, to_step, from + p, across);
    for (; p < k; p++) {
        for (int64_t i = 0; i < side; i++) to[p * to_step + i] = from[i * across + p];
    }
}

/// to[p * to_width + i] = from[i * across + p * along] for i < width, p < k; zeros up to `to_width`, which is less
/// than a vector more than `width`.
static void NAME(pack)(T *to, int64_t to_width, int64_t width, const T *from, int64_t across, int64_t along,
                       int64_t k) {
    const int64_t group = 16 / sizeof(T), whole = width / LANES * LANES;
    if (across == 1 && to_width == PANEL && width == PANEL) {
        for (int64_t p = 0; p < k; p++) {
            UNROLL for (int v = 0; v < VECTORS; v++) {
                NAME(store)(to + p * PANEL + v * LANES, NAME(load)(from + p * along + v * LANES));
            }
        }
    } else if (across == 1) {
        const T *const end = to + k * to_width;
        for (int64_t p = 0; p < k; p++, to += to_width, from += along) {
            for (int64_t i = 0; i < whole; i += LANES) NAME(store)(to + i, NAME(load)(from + i));
            if (whole == width) continue;
            const vector rest = NAME(load_some)(from + whole, width - whole);
            if (to + whole + LANES <= end) {
                NAME(store)(to + whole, rest);  // what it spills over comes next, or is padding
            } else {
                NAME(store_some)(to + whole, rest, width - whole);
            }
        }
    } else {
        for (int64_t p = 0; p < k && width < to_width; p++) {
            for (int64_t i = width; i < to_width; i++) to[p * to_width + i] = 0;
        }
        if (along == 1 && width >= group) {
            for (int64_t i = 0; i < width; i += group) {
                const int64_t at = NAME(min)(i, width - group);  // the last group may overlap the one before
                NAME(transpose)(to + at, to_width, from + at * across, across, k);
            }
        } else {
            for (int64_t i = 0; i < width; i++) {
                for (int64_t p = 0; p < k; p++) to[p * to_width + i] = from[i * across + p * along];
            }
        }
    }
}

