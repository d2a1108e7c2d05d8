// Packing for one element type and instruction set: a piece of A or B in the order in which tiles read it, which is
// k by k, `width` elements each. Included by matmul_block.h.

/// Rows along k: some of them, and the next LANES k of each.
INLINE void NAME(load_square)(const T *const *rows, int64_t count, int64_t p, int64_t depth, vector square[LANES]) {
    UNROLL for (int r = 0; r < LANES; r++) {
        square[r] = (vector){0};
        if (r >= count) continue;
        square[r] = depth == LANES ? NAME(load)(rows[r] + p) : NAME(load_some)(rows[r] + p, depth);
        // So many rows at once are more than the hardware's prefetchers follow.
        __builtin_prefetch(rows[r] + p + 4 * LANES);
    }
}

/// to[p * to_width + i] = from[i * across + p] for LANES rows or, with zeros for the others, less. Where there is room stores
/// spill over, onto what comes next.
static void NAME(pack_rows)(T *to, int64_t to_width, int64_t count, const T *from, int64_t across, int64_t k) {
    const T *rows[LANES];
    for (int64_t r = 0; r < count; r++) rows[r] = from + r * across;
    const int64_t width = NAME(min)(to_width, LANES);
    for (int64_t p = 0; p < k; p += LANES) {
        const int64_t depth = NAME(min)(LANES, k - p);
        vector square[LANES];
        if (count == LANES) {
            NAME(load_square)(rows, LANES, p, depth, square);
        } else {
            NAME(load_square)(rows, count, p, depth, square);
        }
        NAME(transpose_vectors)(square);
        UNROLL for (int q = 0; q < LANES; q++) {
            if (q >= depth) continue;
            if (width == LANES || (k - p - q) * to_width >= LANES) {
                NAME(store)(to + (p + q) * to_width, square[q]);
            } else {
                NAME(store_some)(to + (p + q) * to_width, square[q], width);
            }
        }
    }
}

/// `width` neighbours. Where there is room (`room` elements to come) the store spills over, onto what comes next or padding.
INLINE void NAME(copy_row)(T *to, const T *from, int64_t width, int64_t room) {
    int64_t i = 0;
    for (; i + LANES <= width; i += LANES) NAME(store)(to + i, NAME(load)(from + i));
    if (i == width) return;
    const vector rest = NAME(load_some)(from + i, width - i);
    if (i + LANES <= room) {
        NAME(store)(to + i, rest);
    } else {
        NAME(store_some)(to + i, rest, width - i);
    }
}

/// to[p * to_width + i] = from[i * across + p * along] for i < width, p < k; zeros up to `to_width`, which is less
/// than a vector more than `width`.
static void NAME(pack)(T *to, int64_t to_width, int64_t width, const T *from, int64_t across, int64_t along,
                       int64_t k) {
    if (across == 1) {
        for (int64_t p = 0; p < k; p++, to += to_width, from += along) {
            NAME(copy_row)(to, from, width, (k - p) * to_width);
        }
    } else if (along == 1) {
        for (int64_t i = 0; i < width; i += LANES) {
            // The last rows may overlap those before, rather than spill over what is there already.
            const int64_t at = to_width == width && width > LANES ? NAME(min)(i, width - LANES) : i;
            NAME(pack_rows)(to + at, to_width, NAME(min)(LANES, width - at), from + at * across, across, k);
        }
    } else {
        for (int64_t p = 0; p < k && width < to_width; p++) {
            for (int64_t i = width; i < to_width; i++) to[p * to_width + i] = 0;
        }
        for (int64_t i = 0; i < width; i++) {
            for (int64_t p = 0; p < k; p++) to[p * to_width + i] = from[i * across + p * along];
        }
    }
}

#define PACKED_TURNS 4

/// The same for `panels` panels one after the other, of neighbours. A few k of all of them at a time: long runs of memory to
/// read as well as to write.
static void NAME(pack_standing)(T *to, int64_t panel, int64_t panels, const T *from, int64_t along, int64_t k) {
    for (int64_t start = 0; start < k; start += PACKED_TURNS) {
        const int64_t end = NAME(min)(start + PACKED_TURNS, k);
        for (int64_t p = start; p < end; p++) {
            const T *next = from + (p + PACKED_TURNS) * along;
            for (int64_t i = 0; i < panels * panel; i += LANES) __builtin_prefetch(next + i);
        }
        for (int64_t j = 0; j < panels; j++) {
            const T *at = from + start * along + j * panel;
            T *out = to + (j * k + start) * panel;
            for (int64_t p = start; p < end; p++, at += along, out += panel) {
                if (panel == PANEL) {
                    NAME(copy_row)(out, at, PANEL, PANEL);
                } else {
                    NAME(copy_row)(out, at, panel, (k - p) * panel);
                }
            }
        }
    }
}

/// Packs `size` rows or columns as panels of `panel`; the last may be narrower, and is as wide as `whole` divides.
static void NAME(pack_panels)(T *to, int64_t panel, int64_t size, int64_t whole, const T *from, int64_t across,
                              int64_t along, int64_t k) {
    const int64_t panels = size / panel, rest = size % panel;
    if (across == 1) {
        NAME(pack_standing)(to, panel, panels, from, along, k);
    } else {
        for (int64_t j = 0; j < panels; j++) {
            NAME(pack)(to + j * panel * k, panel, panel, from + j * panel * across, across, along, k);
        }
    }
    if (rest > 0) {
        const int64_t width = (rest + whole - 1) / whole * whole;
        NAME(pack)(to + panels * panel * k, width, rest, from + panels * panel * across, across, along, k);
    }
}
