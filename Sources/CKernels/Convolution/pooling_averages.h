// Averages of the windows of planes, and their gradients: included by pooling_kernels.h.

/// An axis of an average's window: what lies in the input, and its length with the padding (but not the overhang).
typedef struct average_span {
    int64_t start, end, padded;
} average_span;

static inline average_span average_window(const ck_pooling *p, int a, int64_t position) {
    int64_t start = position * p->stride[a] - p->padding[a];
    int64_t end = smaller(start + p->kernel[a], p->input[a] + p->padding[a]);
    return (average_span){larger(start, 0), smaller(end, p->input[a]), end - start};
}

static inline REAL average_divisor(const ck_pooling *p, average_span z, average_span y, average_span x) {
    if (p->divisor != 0) return (REAL)p->divisor;
    if (p->count_includes_padding) return (REAL)(z.padded * y.padded * x.padded);
    return (REAL)((z.end - z.start) * (y.end - y.start) * (x.end - x.start));
}

/// Outputs first..<end of a row have all of their window inside along x.
static inline void whole_windows(const ck_pooling *p, int64_t *first, int64_t *end) {
    int64_t stride = p->stride[2], room = p->input[2] + p->padding[2] - p->kernel[2];
    *first = smaller((p->padding[2] + stride - 1) / stride, p->output[2]);
    *end = larger(*first, room < 0 ? 0 : smaller(room / stride + 1, p->output[2]));
}

static inline int is_empty(average_span s) { return s.start >= s.end; }

/// The average of one window, which is 0 when it has nothing but padding.
static REAL average_one(const ck_pooling *p, const REAL *in, int64_t channels, average_span z, average_span y, average_span x) {
    if (is_empty(z) || is_empty(y) || is_empty(x)) return 0;
    REAL sum = 0;
    for (int64_t iz = z.start; iz < z.end; iz++) {
        for (int64_t iy = y.start; iy < y.end; iy++) {
            const REAL *row = in + (iz * p->input[1] + iy) * p->input[2] * channels;
            for (int64_t ix = x.start; ix < x.end; ix++) sum += row[ix * channels];
        }
    }
    return sum / average_divisor(p, z, y, x);
}

/// out = the averages of windows side by side, whole along x, the first of them starting at x: of BROAD, or of LANES.
#define AVERAGE_BROAD(taps, stride)                                                              \
    do {                                                                                         \
        broad sum = {0};                                                                         \
        FOR_EACH_ROW                                                                             \
            for (int64_t tap = 0; tap < (taps); tap++) {                                         \
                const broad low = *(const loose_broad *)(row + tap);                             \
                sum += (stride) == 1 ? low                                                       \
                    : __builtin_shufflevector(low, *(const loose_broad *)(row + tap + BROAD), EVEN_BROAD); \
            }                                                                                    \
        *(loose_broad *)(out + ox) = sum / divisor;                                              \
    } while (0)
#define AVERAGE_LANES(taps, stride)                                                              \
    do {                                                                                         \
        vector sum = {0};                                                                        \
        FOR_EACH_ROW                                                                             \
            for (int64_t tap = 0; tap < (taps); tap++) sum += load_spaced(row + tap, stride);    \
        *(loose_vector *)(out + ox) = sum / divisor;                                             \
    } while (0)
#define FOR_EACH_ROW                                                                             \
    for (int64_t iz = z.start; iz < z.end; iz++)                                                 \
        for (const REAL *row = in + (iz * p->input[1] + y.start) * width + ox * stride - p->padding[2], \
             *behind = row + (y.end - y.start) * width; row < behind; row += width)

/// Outputs ox..<end of a row; the last vector may overlap the one before.
static inline __attribute__((always_inline)) void average_whole(const ck_pooling *p, const REAL *in, average_span z, average_span y, int64_t ox,
                                                                int64_t end, int64_t taps, int64_t stride, REAL divisor, REAL *out) {
    const int64_t width = p->input[2];
    for (; ox + BROAD <= end; ox += BROAD) AVERAGE_BROAD(taps, stride);
    for (int64_t rest = end - ox; rest > 0; rest -= LANES, ox += LANES) {
        if (rest < LANES) ox = end - LANES;
        AVERAGE_LANES(taps, stride);
    }
}

static inline __attribute__((always_inline)) void average_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const REAL *in = job->in + plane * volume(p->input);
    REAL *out = job->out + plane * volume(p->output);
    int64_t readable = (p->planes - plane) * volume(p->input);
    const int64_t taps = p->kernel[2], stride = p->stride[2];
    for (int64_t oz = 0; oz < p->output[0]; oz++) {
        average_span z = average_window(p, 0, oz);
        for (int64_t oy = 0; oy < p->output[1]; oy++, out += p->output[2]) {
            average_span y = average_window(p, 1, oy);
            int64_t first = 0, end = 0;
            if (!is_empty(z) && !is_empty(y)) {
                vector_range(p, ((z.end - 1) * p->input[1] + y.end - 1) * p->input[2], readable, &first, &end);
            }
            for (int64_t ox = 0; ox < first; ox++) out[ox] = average_one(p, in, 1, z, y, average_window(p, 2, ox));
            if (first < end) {
                REAL divisor = average_divisor(p, z, y, average_window(p, 2, first));
                if (stride == 1 && taps == 3) average_whole(p, in, z, y, first, end, 3, 1, divisor, out);
                else if (stride == 1) average_whole(p, in, z, y, first, end, taps, 1, divisor, out);
                else if (taps == 2) average_whole(p, in, z, y, first, end, 2, 2, divisor, out);
                else if (taps == 3) average_whole(p, in, z, y, first, end, 3, 2, divisor, out);
                else average_whole(p, in, z, y, first, end, taps, 2, divisor, out);
            }
            for (int64_t ox = end; ox < p->output[2]; ox++) out[ox] = average_one(p, in, 1, z, y, average_window(p, 2, ox));
        }
    }
}

/// The gradient for windows of 2 by 2 side by side: each element is written once.
static inline __attribute__((always_inline)) void halve_average_grad_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const int64_t width = p->input[2], columns = p->output[2];
    REAL *dx = job->out + plane * volume(p->input);
    const REAL *dy = job->in + plane * volume(p->output), divisor = p->divisor ? (REAL)p->divisor : 4;
    for (int64_t y = 0; y < p->output[1]; y++, dy += columns, dx += 2 * width) {
        for (int64_t x = 0; x < columns; x += LANES) {
            const int64_t here = smaller(x, columns - LANES);  // the last vector may overlap the one before
            const vector share = *(const loose_vector *)(dy + here) / divisor;
            const vector low = __builtin_shufflevector(share, share, LOW_PAIRS), high = __builtin_shufflevector(share, share, HIGH_PAIRS);
            for (int row = 0; row < 2; row++) {
                *(loose_vector *)(dx + row * width + 2 * here) = low;
                *(loose_vector *)(dx + row * width + 2 * here + LANES) = high;
            }
        }
        for (int row = 0; row < 2; row++)
            memset(dx + row * width + 2 * columns, 0, (size_t)(width - 2 * columns) * sizeof(REAL));
    }
    memset(dx, 0, (size_t)(volume(p->input) - 2 * p->output[1] * width) * sizeof(REAL));
}

/// Numbers in a line.
#define LINE 512

/// Adds dy / divisor to the windows of outputs first..<end of a row, all of them whole along x: to a line, and that to the rows of the windows.
/// Columns that are a stride apart are neighbours meanwhile.
static inline __attribute__((always_inline)) void spread_row(const ck_pooling *p, REAL *dx, const REAL *dy, average_span z, average_span y,
                                                             int64_t first, int64_t end, int64_t taps, int64_t stride) {
    REAL phases[LINE], line[LINE];
    const int64_t behind = (taps - 1) / stride, most = LINE / stride - behind;
    for (int64_t ox = first; ox < end; ox += most) {
        const int64_t count = smaller(most, end - ox), length = count + behind, width = (count - 1) * stride + taps;
        const REAL divisor = average_divisor(p, z, y, average_window(p, 2, ox));
        memset(phases, 0, (size_t)(stride * length) * sizeof(REAL));
        for (int64_t tap = 0; tap < taps; tap++) {
            REAL *to = phases + tap % stride * length + tap / stride;
            for (int64_t i = 0; i < count; i++) to[i] += dy[ox + i] / divisor;
        }
        for (int64_t phase = 0; phase < stride; phase++)
            for (int64_t i = 0; i < length; i++) line[i * stride + phase] = phases[phase * length + i];
        for (int64_t iz = z.start; iz < z.end; iz++) {
            for (int64_t iy = y.start; iy < y.end; iy++) {
                REAL *row = dx + (iz * p->input[1] + iy) * p->input[2] + ox * stride - p->padding[2];
                for (int64_t i = 0; i < width; i++) row[i] += stride == 1 ? phases[i] : line[i];
            }
        }
    }
}

/// Adds dy / divisor to the window of output ox.
static void spread_one(const ck_pooling *p, REAL *dx, REAL dy, average_span z, average_span y, int64_t ox) {
    const average_span x = average_window(p, 2, ox);
    if (is_empty(x)) return;
    const REAL share = dy / average_divisor(p, z, y, x);
    for (int64_t iz = z.start; iz < z.end; iz++) {
        for (int64_t iy = y.start; iy < y.end; iy++) {
            REAL *row = dx + (iz * p->input[1] + iy) * p->input[2];
            for (int64_t ix = x.start; ix < x.end; ix++) row[ix] += share;
        }
    }
}

static inline __attribute__((always_inline)) void average_grad_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    REAL *dx = job->out + plane * volume(p->input);
    const REAL *dy = job->in + plane * volume(p->output);
    const int64_t taps = p->kernel[2], stride = p->stride[2];
    memset(dx, 0, (size_t)volume(p->input) * sizeof(REAL));
    int64_t first, end;
    whole_windows(p, &first, &end);
    if (taps + stride > LINE) end = first;
    for (int64_t oz = 0; oz < p->output[0]; oz++) {
        average_span z = average_window(p, 0, oz);
        for (int64_t oy = 0; oy < p->output[1]; oy++, dy += p->output[2]) {
            average_span y = average_window(p, 1, oy);
            if (is_empty(z) || is_empty(y)) continue;
            for (int64_t ox = 0; ox < first; ox++) spread_one(p, dx, dy[ox], z, y, ox);
            if (stride == 1) spread_row(p, dx, dy, z, y, first, end, taps, 1);
            else if (stride == 2) spread_row(p, dx, dy, z, y, first, end, taps, 2);
            else spread_row(p, dx, dy, z, y, first, end, taps, stride);
            for (int64_t ox = end; ox < p->output[2]; ox++) spread_one(p, dx, dy[ox], z, y, ox);
        }
    }
}

static void average_plane(const pooling_job *job, int64_t plane) { average_rows(job, plane); }
static void average_grad_plane(const pooling_job *job, int64_t plane) { average_grad_rows(job, plane); }
static void halve_average_grad_plane(const pooling_job *job, int64_t plane) { halve_average_grad_rows(job, plane); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void average_plane_avx2(const pooling_job *job, int64_t plane) { average_rows(job, plane); }
__attribute__((target("avx2"))) static void average_grad_plane_avx2(const pooling_job *job, int64_t plane) {
    average_grad_rows(job, plane);
}
#endif
