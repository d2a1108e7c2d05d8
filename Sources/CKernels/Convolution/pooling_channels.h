// Pooling where channels come last, so that a vector holds channels of one window: included by pooling_kernels.h.

typedef lane_index broad_lanes __attribute__((vector_size(32)));
typedef int64_t broad_indices __attribute__((vector_size(32 / REAL_BYTES * 8)));
typedef int64_t loose_broad_indices __attribute__((vector_size(32 / REAL_BYTES * 8), aligned(8), may_alias));

static inline int64_t output_rows(const ck_pooling *p) { return p->output[0] * p->output[1]; }
static inline int64_t input_rows(const ck_pooling *p) { return p->input[0] * p->input[1]; }

/// Rows first..<end of one plane.
typedef struct part {
    int64_t plane, first, end;
} part;

static inline part part_at(const pooling_job *job, int64_t unit, int64_t rows) {
    const int64_t index = unit % job->parts;
    return (part){unit / job->parts, rows * index / job->parts, rows * (index + 1) / job->parts};
}

/// What a window has inside: its first position, how many along each axis, and how far apart. Not empty.
typedef struct taps {
    int64_t first, count[3], step[3];
} taps;

static inline int64_t span_count(pooling_span s) {
    return s.step == 1 ? s.end - s.start : (s.end - s.start + s.step - 1) / s.step;
}
static inline taps taps_of(const ck_pooling *p, pooling_span z, pooling_span y, pooling_span x) {
    const int64_t width = p->input[2], plane = p->input[1] * width;
    return (taps){.first = z.start * plane + y.start * width + x.start,
                  .count = {span_count(z), span_count(y), span_count(x)},
                  .step = {z.step * plane, y.step * width, x.step}};
}

#define FOR_EACH_TAP(t, position) \
    for (int64_t tz = 0, at_z = (t).first; tz < (t).count[0]; tz++, at_z += (t).step[0]) \
        for (int64_t ty = 0, at_y = at_z; ty < (t).count[1]; ty++, at_y += (t).step[1]) \
            for (int64_t tx = 0, position = at_y; tx < (t).count[2]; tx++, position += (t).step[2])

/// `use(t)`, with counts that the compiler knows where they are the common ones.
#define WITH_KNOWN_COUNTS(t, use) \
    do { \
        const int square = (t).count[0] == 1 && (t).count[1] == (t).count[2]; \
        if (square && (t).count[1] == 2) { \
            const taps known = {(t).first, {1, 2, 2}, {0, (t).step[1], (t).step[2]}}; \
            use(known); \
        } else if (square && (t).count[1] == 3) { \
            const taps known = {(t).first, {1, 3, 3}, {0, (t).step[1], (t).step[2]}}; \
            use(known); \
        } else { \
            use(t); \
        } \
    } while (0)

/// Vectors of at least as many channels; the last may overlap the one before.
#define FOR_EACH_VECTOR(channels, c) \
    for (int64_t from = 0, c; from < (channels) && (c = smaller(from, (channels) - BROAD), 1); from += BROAD)

// MARK: Maxima

static inline __attribute__((always_inline)) void max_of_taps(const REAL *in, int64_t channels, taps t, REAL *out, int64_t *indices) {
    FOR_EACH_VECTOR(channels, c) {
        broad best = *(const loose_broad *)(in + t.first * channels + c);
        broad_lanes where = (broad_lanes){0} + (lane_index)t.first;
        FOR_EACH_TAP(t, position) {
            if (position == t.first) continue;
            const broad value = *(const loose_broad *)(in + position * channels + c);
            const broad_lanes taken = ~(value <= best) & (best == best);
            best = (broad)(((broad_lanes)value & taken) | ((broad_lanes)best & ~taken));
            where = (((broad_lanes){0} + (lane_index)position) & taken) | (where & ~taken);
        }
        *(loose_broad *)(out + c) = best;
        *(loose_broad_indices *)(indices + c) = __builtin_convertvector(where, broad_indices);
    }
}

static inline __attribute__((always_inline)) void max_rows_of_channels(const pooling_job *job, int64_t unit) {
    const ck_pooling *p = job->p;
    const part part = part_at(job, unit, output_rows(p));
    const int64_t channels = p->channels, row_size = p->output[2] * channels;
    const int64_t begin = part.plane * volume(p->output) * channels + part.first * row_size;
    const int single = channels < BROAD || volume(p->input) > INT32_MAX;
    const REAL *in = job->in + part.plane * volume(p->input) * channels;
    window_rows rows = {.p = p, .channels = channels};
    REAL *out = job->out + begin;
    int64_t *indices = job->indices + begin;
    for (int64_t row = part.first; row < part.end; row++) {
        rows.z = window_span(p, 0, row / p->output[1]);
        rows.y = window_span(p, 1, row % p->output[1]);
        for (int64_t ox = 0; ox < p->output[2]; ox++, out += channels, indices += channels) {
            const pooling_span x = window_span(p, 2, ox);
            if (single || rows.z.start >= rows.z.end || rows.y.start >= rows.y.end || x.start >= x.end) {
                for (int64_t c = 0; c < channels; c++) {
                    rows.in = in + c;
                    out[c] = max_window(&rows, ox, &indices[c]);
                }
                continue;
            }
            const taps t = taps_of(p, rows.z, rows.y, x);
#define TAKE(t) max_of_taps(in, channels, t, out, indices)
            WITH_KNOWN_COUNTS(t, TAKE);
#undef TAKE
        }
    }
}

/// What windows chose in the rows of a part, all of a plane where it has depth.
static void max_grad_part(const pooling_job *job, int64_t unit) {
    const ck_pooling *p = job->p;
    const part part = part_at(job, unit, input_rows(p));
    const int64_t channels = p->channels, row_size = p->output[2] * channels;
    const int64_t first = part.first * p->input[2], end = part.end * p->input[2];
    REAL *dx = job->out + part.plane * volume(p->input) * channels;
    memset(dx + first * channels, 0, (size_t)((end - first) * channels) * sizeof(REAL));
    for (int64_t row = 0; row < output_rows(p); row++) {
        const pooling_span y = window_span(p, 1, row % p->output[1]);
        if (p->input[0] == 1 && (y.start >= part.end || y.end <= part.first)) continue;
        const int64_t begin = (part.plane * output_rows(p) + row) * row_size;
        const REAL *dy = job->in + begin;
        const int64_t *chosen = job->chosen + begin;
        for (int64_t i = 0; i < row_size; i += channels) {
            for (int64_t c = 0; c < channels; c++) {
                const int64_t at = chosen[i + c];
                if (at >= first && at < end) dx[at * channels + c] += dy[i + c];
            }
        }
    }
}

/// Windows side by side, whole ones only: each element of the input is in one or none.
static int is_tiling(const ck_pooling *p) {
    for (int a = 0; a < 3; a++) {
        if (p->kernel[a] != p->stride[a] || p->padding[a] != 0 || p->dilation[a] != 1) return 0;
        if (p->stride[a] * p->output[a] > p->input[a]) return 0;
    }
    return p->channels >= BROAD && volume(p->input) <= INT32_MAX;
}
/// Each element is in one.
static int is_covering(const ck_pooling *p) { return volume(p->output) * volume(p->kernel) == volume(p->input); }

static inline __attribute__((always_inline)) void put_in_taps(REAL *dx, int64_t channels, taps t, const REAL *dy,
                                                              const int64_t *chosen) {
    FOR_EACH_VECTOR(channels, c) {
        const broad_lanes gradient = (broad_lanes)*(const loose_broad *)(dy + c);
        const broad_lanes where = __builtin_convertvector(*(const loose_broad_indices *)(chosen + c), broad_lanes);
        FOR_EACH_TAP(t, position) {
            *(loose_broad *)(dx + position * channels + c) = (broad)(gradient & (where == (lane_index)position));
        }
    }
}

/// Writes each element once: dy where it was the maximum of its window, else 0.
static inline __attribute__((always_inline)) void tile_grad_rows(const pooling_job *job, int64_t unit) {
    const ck_pooling *p = job->p;
    const part part = part_at(job, unit, output_rows(p));
    const int64_t channels = p->channels, begin = (part.plane * output_rows(p) + part.first) * p->output[2] * channels;
    REAL *dx = job->out + part.plane * volume(p->input) * channels;
    const REAL *dy = job->in + begin;
    const int64_t *chosen = job->chosen + begin;
    if (!is_covering(p)) memset(dx, 0, (size_t)(volume(p->input) * channels) * sizeof(REAL));
    for (int64_t row = part.first; row < part.end; row++) {
        const pooling_span z = window_span(p, 0, row / p->output[1]), y = window_span(p, 1, row % p->output[1]);
        for (int64_t ox = 0; ox < p->output[2]; ox++, dy += channels, chosen += channels) {
            const taps t = taps_of(p, z, y, window_span(p, 2, ox));
#define PUT(t) put_in_taps(dx, channels, t, dy, chosen)
            WITH_KNOWN_COUNTS(t, PUT);
#undef PUT
        }
    }
}

static void max_part(const pooling_job *job, int64_t unit) { max_rows_of_channels(job, unit); }
static void tile_grad_part(const pooling_job *job, int64_t unit) { tile_grad_rows(job, unit); }

#if defined(__x86_64__)
__attribute__((target("avx2"))) static void max_part_avx2(const pooling_job *job, int64_t unit) {
    max_rows_of_channels(job, unit);
}
__attribute__((target("avx2"))) static void tile_grad_part_avx2(const pooling_job *job, int64_t unit) {
    tile_grad_rows(job, unit);
}
#endif

/// Parts go through the windows at their borders twice.
#define LEAST_ROWS 16

static void run_max_grad(pooling_job job) {
    const ck_pooling *p = job.p;
    if (!is_tiling(p)) {
        job.run = max_grad_part;
        run_pooling(job, p->input[0] == 1 ? p->input[1] / LEAST_ROWS : 1);
        return;
    }
    job.run = tile_grad_part;
#if defined(__x86_64__)
    if (ck_isa_current() != CK_ISA_BASELINE) job.run = tile_grad_part_avx2;
#endif
    run_pooling(job, is_covering(p) ? output_rows(p) : 1);
}

// MARK: Averages

static inline taps average_taps(const ck_pooling *p, average_span z, average_span y, average_span x) {
    return taps_of(p, (pooling_span){z.start, z.end, 1}, (pooling_span){y.start, y.end, 1}, (pooling_span){x.start, x.end, 1});
}

static void average_part(const pooling_job *job, int64_t unit) {
    const ck_pooling *p = job->p;
    const part part = part_at(job, unit, output_rows(p));
    const int64_t channels = p->channels;
    const REAL *in = job->in + part.plane * volume(p->input) * channels;
    REAL *out = job->out + (part.plane * output_rows(p) + part.first) * p->output[2] * channels;
    for (int64_t row = part.first; row < part.end; row++) {
        const average_span z = average_window(p, 0, row / p->output[1]), y = average_window(p, 1, row % p->output[1]);
        for (int64_t ox = 0; ox < p->output[2]; ox++, out += channels) {
            const average_span x = average_window(p, 2, ox);
            if (channels < BROAD || is_empty(z) || is_empty(y) || is_empty(x)) {
                for (int64_t c = 0; c < channels; c++) out[c] = average_one(p, in + c, channels, z, y, x);
                continue;
            }
            const REAL divisor = average_divisor(p, z, y, x);
            const taps t = average_taps(p, z, y, x);
            FOR_EACH_VECTOR(channels, c) {
                broad sum = {0};
                FOR_EACH_TAP(t, position) sum += *(const loose_broad *)(in + position * channels + c);
                *(loose_broad *)(out + c) = sum / divisor;
            }
        }
    }
}

static void average_grad_channels(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const int64_t channels = p->channels, inputs = volume(p->input) * channels;
    REAL *dx = job->out + plane * inputs;
    const REAL *dy = job->in + plane * volume(p->output) * channels;
    memset(dx, 0, (size_t)inputs * sizeof(REAL));
    for (int64_t row = 0; row < output_rows(p); row++) {
        const average_span z = average_window(p, 0, row / p->output[1]), y = average_window(p, 1, row % p->output[1]);
        for (int64_t ox = 0; ox < p->output[2]; ox++, dy += channels) {
            const average_span x = average_window(p, 2, ox);
            if (is_empty(z) || is_empty(y) || is_empty(x)) continue;
            const REAL divisor = average_divisor(p, z, y, x);
            const taps t = average_taps(p, z, y, x);
            int64_t c = 0;
            for (; c + BROAD <= channels; c += BROAD) {
                const broad share = *(const loose_broad *)(dy + c) / divisor;
                FOR_EACH_TAP(t, position) *(loose_broad *)(dx + position * channels + c) += share;
            }
            for (; c < channels; c++) {
                const REAL share = dy[c] / divisor;
                FOR_EACH_TAP(t, position) dx[position * channels + c] += share;
            }
        }
    }
}
