// Builds pieces of the column matrix (depth by pixels) for one element type and instruction set. See
// convolution_kernels.h for the macros.

typedef REAL K(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef REAL K(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(REAL)), may_alias));

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(REAL)))

static inline __attribute__((always_inline)) K(vector) K(load)(const REAL *p) { return *(const K(loose) *)p; }
static inline __attribute__((always_inline)) void K(store)(REAL *p, K(vector) v) { *(K(loose) *)p = v; }

typedef REAL K(piece) __attribute__((vector_size(16), aligned(sizeof(REAL)), may_alias));
#define PIECE ((int64_t)(16 / sizeof(REAL)))

/// out = in, or out += in: for short arrays of any length.
static inline __attribute__((always_inline)) void K(move)(REAL *out, const REAL *in, int64_t count) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) K(store)(out + i, K(load)(in + i));
    for (; i + PIECE <= count; i += PIECE) *(K(piece) *)(out + i) = *(const K(piece) *)(in + i);
    for (; i < count; i++) out[i] = in[i];
}

static inline __attribute__((always_inline)) void K(add)(REAL *out, const REAL *in, int64_t count) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) K(store)(out + i, K(load)(out + i) + K(load)(in + i));
    for (; i + PIECE <= count; i += PIECE) *(K(piece) *)(out + i) += *(const K(piece) *)(in + i);
    for (; i < count; i++) out[i] += in[i];
}

/// The even elements of 2 LANES.
static inline __attribute__((always_inline)) K(vector) K(load_even)(const REAL *p) {
    return __builtin_shufflevector(K(load)(p), K(load)(p + LANES), EVEN_LANES);
}

/// How the columns of some pixels are copied, the same for every channel and kernel row: `moves` of a vector (of even
/// elements when the pixels are 2 apart) or, with other distances, of a whole run; then zeros over what these took from
/// outside of the rows.
typedef struct K(layout) {
    const ck_conv_run *runs;
    int run_count, move_count, clip_count;
    int fits;  // else there are too many clips or too wide a kernel: every element goes by itself
    int64_t taps, tap_step, step, leftmost, reach;  // a run reads leftmost..leftmost + reach from its x, at its first pixel
    struct {
        int16_t run, offset, out;
    } moves[RUNS_MAX];
    struct {
        int16_t tap, start, count;
    } clips[CLIPS_MAX];
} K(layout);

static const REAL K(zeros)[ZEROS + 4 * VECTOR_BYTES / REAL_BYTES];

static void K(add_clip)(K(layout) *layout, int64_t tap, int64_t start, int64_t count) {
    if (count <= 0) return;
    if (layout->clip_count == CLIPS_MAX) {
        layout->fits = 0;
        return;
    }
    layout->clips[layout->clip_count].tap = (int16_t)tap;
    layout->clips[layout->clip_count].start = (int16_t)start;
    layout->clips[layout->clip_count++].count = (int16_t)count;
}

static void K(find_layout)(K(layout) *layout, const ck_conv_axis *axis, int64_t width, const ck_conv_run *runs,
                           int run_count) {
    int64_t taps = axis->taps, step = axis->pixel_step, distance = axis->tap_step < 0 ? -axis->tap_step : axis->tap_step;
    layout->runs = runs;
    layout->run_count = run_count;
    layout->move_count = layout->clip_count = 0;
    layout->taps = taps;
    layout->tap_step = axis->tap_step;
    layout->step = step;
    layout->leftmost = ck_conv_min(0, (taps - 1) * axis->tap_step);
    layout->reach = (taps - 1) * distance;
    layout->fits = layout->reach + (PIXELS_MAX - 1) * step < ZEROS;
    for (int r = 0; r < run_count; r++) {
        for (int64_t i = 0; i < runs[r].count; i += step <= 2 ? LANES : runs[r].count) {
            layout->moves[layout->move_count].run = (int16_t)r;
            layout->moves[layout->move_count].offset = (int16_t)(i * ck_conv_min(step, 2));
            layout->moves[layout->move_count++].out = (int16_t)(runs[r].start + i);
        }
    }
    for (int64_t tap = 0; tap < taps && layout->fits; tap++) {
        for (int r = 0; r < run_count; r++) {
            int64_t x = runs[r].x + tap * axis->tap_step, count = runs[r].count;
            int64_t below = x < 0 ? ck_conv_min(ck_conv_ceil_div(-x, step), count) : 0;
            int64_t inside_end = x < width ? ck_conv_min(ck_conv_ceil_div(width - x, step), count) : 0;
            K(add_clip)(layout, tap, runs[r].start, below);
            K(add_clip)(layout, tap, runs[r].start + ck_conv_max(inside_end, below), count - ck_conv_max(inside_end, below));
        }
    }
}

/// One row of columns: the tap stands at `shift` from what `in` points to.
static inline __attribute__((always_inline)) void K(move_row)(const K(layout) *layout, const REAL *const *in, int64_t shift,
                                                              REAL *out) {
    if (layout->step == 1) {
        for (int m = 0; m < layout->move_count; m++) K(store)(out + layout->moves[m].out, K(load)(in[m] + shift));
    } else if (layout->step == 2) {
        for (int m = 0; m < layout->move_count; m++) K(store)(out + layout->moves[m].out, K(load_even)(in[m] + shift));
    } else {
        for (int m = 0; m < layout->move_count; m++) {
            const REAL *from = in[m] + shift;
            for (int64_t i = 0; i < layout->runs[m].count; i++) out[layout->moves[m].out + i] = from[i * layout->step];
        }
    }
}

/// One row of columns, element by element. `offsets` are of the source rows, negative for padding.
static void K(gather_row)(const K(layout) *layout, const REAL *source, int64_t width, const int64_t *offsets, int64_t shift,
                          REAL *out) {
    for (int r = 0; r < layout->run_count; r++) {
        const ck_conv_run *run = &layout->runs[r];
        for (int64_t i = 0; i < run->count; i++) {
            int64_t x = run->x + shift + i * layout->step;
            out[run->start + i] = offsets[r] >= 0 && x >= 0 && x < width ? source[offsets[r] + x] : 0;
        }
    }
}

/// The source rows that a kernel row meets, one for each run. Answers whether whole vectors can be read from all of them.
static int K(find_rows)(const K(layout) *layout, const ck_conv_product *product, const REAL *source, int64_t channel,
                        int64_t tap_z, int64_t tap_y, int64_t *offsets, const REAL **in) {
    const int64_t *size = product->source_size;
    int64_t elements = product->batch * product->groups * product->source_channels * product->source_plane;
    int readable = layout->fits;
    for (int r = 0, m = 0; r < layout->run_count; r++) {
        const ck_conv_run *run = &layout->runs[r];
        int64_t z = run->z + tap_z, y = run->y + tap_y;
        int inside = z >= 0 && z < size[0] && y >= 0 && y < size[1];
        offsets[r] = inside ? run->source + channel * product->source_plane + (z * size[1] + y) * size[2] : -1;
        int64_t first = offsets[r] + run->x + layout->leftmost;
        int64_t end = first + layout->reach + (run->count - 1) * layout->step + 2 * LANES;
        if (inside && (first < 0 || end > elements)) readable = 0;
        if (!readable) continue;
        const REAL *start = inside ? source + first : K(zeros);
        // Short pieces of planes far apart: no prefetcher of the hardware's follows that.
        int64_t ahead = inside && end + 2 * product->source_plane <= elements ? 2 * product->source_plane : 0;
        for (; m < layout->move_count && layout->moves[m].run == r; m++) {
            in[m] = start + layout->moves[m].offset;
            __builtin_prefetch(in[m] + ahead);
        }
    }
    return readable;
}

/// Rows first..<first + count of the column matrix, to out[row * row_stride + pixel]. Rows are written in order and a row
/// may spill LANES - 1 elements past its last run.
static void K(pack_columns)(const ck_conv_product *product, const ck_conv_phase *phase, const K(layout) *layout,
                            const REAL *source, int64_t first, int64_t count, REAL *out, int64_t row_stride) {
    const ck_conv_axis *axis = phase->axis;
    int64_t taps = layout->taps, tap_x = first % taps, tap_y = first / taps % axis[1].taps;
    int64_t outer = first / taps / axis[1].taps, tap_z = outer % axis[0].taps, channel = outer / axis[0].taps;
    int64_t offsets[RUNS_MAX];
    const REAL *in[RUNS_MAX];
    for (int64_t done = 0; done < count;) {
        int readable = K(find_rows)(layout, product, source, channel, tap_z * axis[0].tap_step, tap_y * axis[1].tap_step,
                                    offsets, in);
        int64_t end = ck_conv_min(taps, tap_x + count - done);
        done += end - tap_x;
        for (int clip = 0; tap_x < end; tap_x++, out += row_stride) {
            int64_t shift = tap_x * layout->tap_step;
            if (!readable) {
                K(gather_row)(layout, source, product->source_size[2], offsets, shift, out);
                continue;
            }
            K(move_row)(layout, in, shift - layout->leftmost, out);
            for (; clip < layout->clip_count && layout->clips[clip].tap <= tap_x; clip++) {
                if (layout->clips[clip].tap < tap_x) continue;
                for (int i = 0; i < layout->clips[clip].count; i++) out[layout->clips[clip].start + i] = 0;
            }
        }
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
