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
    int64_t taps, tap_step, step;
    int64_t leftmost, reach;  // the first pixel of a run reads from leftmost to leftmost + reach of its x
    int64_t base[RUNS_MAX];   // where a run's row starts, at tap 0 of channel 0
    int64_t lowest, highest;  // of all that is read there
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

static void K(find_layout)(K(layout) *layout, const ck_conv_product *product, const ck_conv_phase *phase,
                           const ck_conv_run *runs, int run_count) {
    const ck_conv_axis *axis = &phase->axis[2];
    int64_t width = product->source_size[2];
    int64_t taps = axis->taps, step = axis->pixel_step;
    layout->runs = runs;
    layout->run_count = run_count;
    layout->move_count = layout->clip_count = 0;
    layout->taps = taps;
    layout->tap_step = axis->tap_step;
    layout->step = step;
    layout->leftmost = ck_conv_min(0, (taps - 1) * axis->tap_step);
    layout->reach = (taps - 1) * (axis->tap_step < 0 ? -axis->tap_step : axis->tap_step);
    layout->fits = 1;
    layout->lowest = INT64_MAX;
    layout->highest = INT64_MIN;
    for (int r = 0; r < run_count; r++) {
        layout->base[r] = runs[r].source + (runs[r].z * product->source_size[1] + runs[r].y) * width;
        int64_t span = layout->reach + (runs[r].count - 1) * step;
        if (span >= ZEROS) layout->fits = 0;
        int64_t low = layout->base[r] + runs[r].x + layout->leftmost;
        layout->lowest = ck_conv_min(layout->lowest, low);
        layout->highest = ck_conv_max(layout->highest, low + span + 2 * LANES);
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
            inside_end = ck_conv_max(inside_end, below);
            K(add_clip)(layout, tap, runs[r].start, below);
            K(add_clip)(layout, tap, runs[r].start + inside_end, count - inside_end);
        }
    }
}

/// One row of columns: the tap stands at `shift` from what `in` points to.
static inline __attribute__((always_inline)) void K(move_row)(const K(layout) *layout, const REAL *const *in,
                                                              int64_t shift, REAL *out) {
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

/// Where a kernel row stands: the channel's and the taps' share of the offset, and of the coordinates.
typedef struct K(place) {
    int64_t shift, z, y;
} K(place);

static inline __attribute__((always_inline)) int K(is_inside)(const ck_conv_run *run, const ck_conv_product *product,
                                                              K(place) at) {
    return (uint64_t)(run->z + at.z) < (uint64_t)product->source_size[0]
        && (uint64_t)(run->y + at.y) < (uint64_t)product->source_size[1];
}

/// One row of columns, element by element: `shift` is the tap's along x.
static void K(gather_row)(const K(layout) *layout, const ck_conv_product *product, const REAL *source, K(place) at,
                          int64_t shift, REAL *out) {
    for (int r = 0; r < layout->run_count; r++) {
        const ck_conv_run *run = &layout->runs[r];
        int row_inside = K(is_inside)(run, product, at);
        for (int64_t i = 0; i < run->count; i++) {
            int64_t x = run->x + shift + i * layout->step;
            int inside = row_inside && x >= 0 && x < product->source_size[2];
            out[run->start + i] = inside ? source[layout->base[r] + at.shift + x] : 0;
        }
    }
}

/// What each move reads from at the leftmost tap of a kernel row. Answers whether whole vectors can be read from there.
static inline int K(find_rows)(const K(layout) *layout, const ck_conv_product *product, const REAL *source, K(place) at,
                               const REAL **in) {
    int64_t elements = product->batch * product->groups * product->source_channels * product->source_plane;
    if (!layout->fits || layout->lowest + at.shift < 0 || layout->highest + at.shift > elements) return 0;
    // Short pieces of planes far apart: no prefetcher of the hardware's follows that.
    int64_t ahead = 2 * product->source_plane;
    if (layout->highest + at.shift + ahead > elements) ahead = 0;
    for (int r = 0, m = 0; r < layout->run_count; r++) {
        int inside = K(is_inside)(&layout->runs[r], product, at);
        int64_t first = layout->base[r] + layout->runs[r].x + layout->leftmost + at.shift;
        const REAL *start = inside ? source + first : K(zeros);
        for (; m < layout->move_count && layout->moves[m].run == r; m++) {
            in[m] = start + layout->moves[m].offset;
            if (inside) __builtin_prefetch(in[m] + ahead);
        }
    }
    return 1;
}

/// Rows first..<first + count of the column matrix, to out[row * row_stride + pixel]. Rows are written in order and a
/// row may spill LANES - 1 elements past its last run.
static void K(pack_columns)(const ck_conv_product *product, const ck_conv_phase *phase, const K(layout) *layout,
                            const REAL *source, int64_t first, int64_t count, REAL *out, int64_t row_stride) {
    const ck_conv_axis *axis = phase->axis;
    int64_t taps = layout->taps, tap_x = first % taps, tap_y = first / taps % axis[1].taps;
    int64_t outer = first / taps / axis[1].taps, tap_z = outer % axis[0].taps, channel = outer / axis[0].taps;
    const REAL *in[RUNS_MAX];
    for (int64_t done = 0; done < count;) {
        K(place) at = {.z = tap_z * axis[0].tap_step, .y = tap_y * axis[1].tap_step};
        at.shift = channel * product->source_plane + (at.z * product->source_size[1] + at.y) * product->source_size[2];
        int readable = K(find_rows)(layout, product, source, at, in);
        int64_t end = ck_conv_min(taps, tap_x + count - done);
        done += end - tap_x;
        for (int clip = 0; tap_x < end; tap_x++, out += row_stride) {
            int64_t shift = tap_x * layout->tap_step;
            if (!readable) {
                K(gather_row)(layout, product, source, at, shift, out);
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
