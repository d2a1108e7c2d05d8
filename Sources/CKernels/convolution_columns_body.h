// Builds pieces of the column matrix (depth by pixels) for one element type and instruction set. See
// convolution_kernels.h for the macros.

typedef REAL K(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL K(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));
typedef INTEGER K(lanes) __attribute__((vector_size(VECTOR_BYTES)));

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))

static inline __attribute__((always_inline)) K(vector) K(load)(const REAL *p) { return *(const K(loose) *)p; }
static inline __attribute__((always_inline)) void K(store)(REAL *p, K(vector) v) { *(K(loose) *)p = v; }

/// Lane numbers 0, 1, 2, ...
static inline __attribute__((always_inline)) K(lanes) K(iota)(void) {
    K(lanes) numbers;
    for (int i = 0; i < LANES; i++) numbers[i] = (INTEGER)i;
    return numbers;
}

/// The even elements of 2 LANES.
static inline __attribute__((always_inline)) K(vector) K(load_even)(const REAL *p) {
    return __builtin_shufflevector(K(load)(p), K(load)(p + LANES), EVEN_LANES);
}

/// Where the source of one run lies for the tap at hand.
typedef struct K(row_span) {
    int64_t offset;  // of the row in the source, negative when the row is padding
    int64_t x;       // coordinate of the first pixel
} K(row_span);

typedef struct K(column_source) {
    const REAL *source;
    int64_t size;    // elements of all of it: vectors are read whole only inside of it
    int64_t width;   // of a row
    int64_t step;    // from pixel to pixel
} K(column_source);

/// Copies the row elements x, x + step, ... into `count` elements of `out`, 0 where they are outside of the row. May write
/// up to LANES - 1 elements more.
static inline void K(copy_run)(const K(column_source) *s, int64_t offset, int64_t x, int64_t count, REAL *out) {
    int64_t step = s->step, first = offset + x, rounded = (count + LANES - 1) / LANES * LANES;
    if (offset < 0) {
        for (int64_t i = 0; i < count; i += LANES) K(store)(out + i, (K(vector)){0});
    } else if (step > 2 || first < 0 || first + rounded * step > s->size) {
        for (int64_t i = 0; i < count; i++) {
            int64_t at = x + i * step;
            out[i] = at >= 0 && at < s->width ? s->source[offset + at] : 0;
        }
    } else if (x >= 0 && x + (count - 1) * step < s->width) {
        const REAL *in = s->source + first;
        if (step == 1) {
            for (int64_t i = 0; i < count; i += LANES) K(store)(out + i, K(load)(in + i));
        } else {
            for (int64_t i = 0; i < count; i += LANES) K(store)(out + i, K(load_even)(in + 2 * i));
        }
    } else {
        // The vectors reach into the neighbouring rows, and what comes from there is masked.
        const REAL *in = s->source + first;
        for (int64_t i = 0; i < count; i += LANES) {
            K(lanes) at = (K(iota)() + (INTEGER)i) * (INTEGER)step + (INTEGER)x;
            K(lanes) inside = (at >= 0) & (at < (INTEGER)s->width);
            K(vector) v = step == 1 ? K(load)(in + i) : K(load_even)(in + 2 * i);
            K(store)(out + i, (K(vector))((K(lanes))v & inside));
        }
    }
}

/// Rows first..<first + count of the column matrix for the pixels of `runs`, to out[row * row_stride + pixel]. Rows are
/// written in order and a row may spill LANES - 1 elements past its last run.
static void K(pack_columns)(const ck_conv_product *product, const ck_conv_phase *phase, const REAL *source,
                            const ck_conv_run *runs, int run_count, int64_t first, int64_t count, REAL *out,
                            int64_t row_stride) {
    const ck_conv_axis *axis = phase->axis;
    const int64_t *size = product->source_size;
    K(column_source) columns = {
        source, product->batch * product->groups * product->source_channels * product->source_plane, size[2],
        axis[2].pixel_step,
    };
    int64_t tap_x = first % axis[2].taps, tap_y = first / axis[2].taps % axis[1].taps;
    int64_t outer = first / axis[2].taps / axis[1].taps;
    int64_t tap_z = outer % axis[0].taps, channel = outer / axis[0].taps;
    K(row_span) spans[RUNS_MAX];
    for (int64_t done = 0; done < count;) {
        for (int r = 0; r < run_count; r++) {
            int64_t z = runs[r].z + tap_z * axis[0].tap_step, y = runs[r].y + tap_y * axis[1].tap_step;
            int inside = z >= 0 && z < size[0] && y >= 0 && y < size[1];
            spans[r].offset = inside ? runs[r].source + channel * product->source_plane + (z * size[1] + y) * size[2] : -1;
            spans[r].x = runs[r].x + tap_x * axis[2].tap_step;
        }
        int64_t here = ck_conv_min(axis[2].taps - tap_x, count - done);
        for (int64_t t = 0; t < here; t++, out += row_stride) {
            for (int r = 0; r < run_count; r++) {
                K(copy_run)(&columns, spans[r].offset, spans[r].x, runs[r].count, out + runs[r].start);
                spans[r].x += axis[2].tap_step;
            }
        }
        done += here;
        tap_x = 0;
        if (++tap_y == axis[1].taps) {
            tap_y = 0;
            if (++tap_z == axis[0].taps) {
                tap_z = 0;
                channel++;
            }
        }
    }
}
