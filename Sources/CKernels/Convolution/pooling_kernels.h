// Pooling kernels of one element type. The including file defines REAL, REAL_BYTES (4 or 8) and TYPED(name), the public
// name for this type. Reading memory and storing 8 bytes an index is most of the work of maxima, so vectors of 16 bytes, which
// every machine has, are enough.

#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ck_isa.h"
#include "ck_pool.h"
#include "ck_pooling.h"

/// Elements of input that a block goes through: some tens of microseconds.
#define BLOCK_ELEMENTS 65536

static inline int64_t volume(const int64_t size[3]) { return size[0] * size[1] * size[2]; }
static inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }

typedef struct pooling_job {
    const ck_pooling *p;
    int64_t parts, units_per_block;  // of a plane, and the units are planes or parts of them
    REAL *out;
    const REAL *in;
    int64_t *indices;
    const int64_t *chosen;
    void (*run)(const struct pooling_job *job, int64_t unit);
} pooling_job;

static void run_units(void *context, int64_t block) {
    const pooling_job *job = context;
    int64_t first = block * job->units_per_block, end = smaller(first + job->units_per_block, job->p->planes * job->parts);
    for (int64_t unit = first; unit < end; unit++) job->run(job, unit);
}

/// With fewer planes than this they are cut.
#define ENOUGH_PLANES 16

/// A plane can be cut into `rows` parts.
static void run_pooling(pooling_job job, int64_t rows) {
    const ck_pooling *p = job.p;
    int64_t visits = larger(1, larger(volume(p->input), volume(p->output) * volume(p->kernel)) * larger(1, p->channels));
    job.parts = p->planes < ENOUGH_PLANES ? larger(1, smaller(rows, visits / BLOCK_ELEMENTS)) : 1;
    job.units_per_block = larger(1, BLOCK_ELEMENTS / (visits / job.parts));
    ck_parallel((p->planes * job.parts + job.units_per_block - 1) / job.units_per_block, run_units, &job);
}

/// The positions start, start + step, ... < end of one axis that lie in the input.
typedef struct pooling_span {
    int64_t start, end, step;
} pooling_span;

static inline pooling_span window_span(const ck_pooling *p, int a, int64_t position) {
    int64_t start = position * p->stride[a] - p->padding[a], step = p->dilation[a];
    int64_t end = smaller(start + (p->kernel[a] - 1) * step + 1, p->input[a]);
    if (start < 0) start += (-start + step - 1) / step * step;
    return (pooling_span){start, end, step};
}

#define LANES ((int64_t)(16 / REAL_BYTES))
#if REAL_BYTES == 4
#define EVEN_LANES 0, 2, 4, 6
#define EVEN_BROAD 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7
#define LOW_PAIRS 0, 4, 1, 5
#define HIGH_PAIRS 2, 6, 3, 7
typedef int32_t lane_index;
#else
#define EVEN_LANES 0, 2
#define EVEN_BROAD 0, 2, 4, 6
#define ODD_LANES 1, 3
#define LOW_PAIRS 0, 2
#define HIGH_PAIRS 1, 3
typedef int64_t lane_index;
#endif
typedef REAL vector __attribute__((vector_size(16)));
typedef REAL loose_vector __attribute__((vector_size(16), aligned(REAL_BYTES), may_alias));
typedef lane_index lanes __attribute__((vector_size(16)));
#define BROAD ((int64_t)(32 / REAL_BYTES))
typedef REAL broad __attribute__((vector_size(32)));
typedef REAL loose_broad __attribute__((vector_size(32), aligned(REAL_BYTES), may_alias));
typedef int64_t wide_lanes __attribute__((vector_size(16 / REAL_BYTES * 8)));
typedef int64_t loose_wide_lanes __attribute__((vector_size(16 / REAL_BYTES * 8), aligned(8), may_alias));

/// Elements 0, 1, ... or 0, 2, ... of `in`; with a step of 2 one element behind them is read too.
static inline vector load_spaced(const REAL *in, int64_t step) {
    vector first = *(const loose_vector *)in;
    if (step == 1) return first;
    return __builtin_shufflevector(first, *(const loose_vector *)(in + LANES), EVEN_LANES);
}

/// The outputs first..<end of a row whose windows lie wholly inside along x, and whose vectors can be read. `in` has
/// `readable` elements, `last` is the highest position of the row's windows' last rows at x = 0.
static inline void vector_range(const ck_pooling *p, int64_t last, int64_t readable, int64_t *first, int64_t *end) {
    int64_t stride = p->stride[2], reach = (p->kernel[2] - 1) * p->dilation[2];
    *first = smaller((p->padding[2] + stride - 1) / stride, p->output[2]);
    int64_t room = p->input[2] + p->padding[2] - reach - 1;
    *end = room < 0 ? 0 : smaller(room / stride + 1, p->output[2]);
    // The last vector's last tap reads up to (LANES - 1) stride + 1 elements further.
    while (*end > *first && last + (*end - 1) * stride - p->padding[2] + reach + 1 >= readable) --*end;
    if (stride > 2 || *end - *first < LANES) *end = *first;
}

/// What the windows of one output row share.
typedef struct window_rows {
    const ck_pooling *p;
    const REAL *in;
    int64_t channels;  // from one position to the next
    pooling_span z, y;
} window_rows;

/// A window that has nothing but padding gives -inf, and the index -1 that the gradient skips.
static inline REAL max_window(const window_rows *rows, int64_t ox, int64_t *index) {
    const ck_pooling *p = rows->p;
    pooling_span x = window_span(p, 2, ox);
    REAL best = -(REAL)INFINITY;
    int64_t where = -1;
    for (int64_t iz = rows->z.start; iz < rows->z.end; iz += rows->z.step) {
        for (int64_t iy = rows->y.start; iy < rows->y.end; iy += rows->y.step) {
            int64_t row = (iz * p->input[1] + iy) * p->input[2];
            for (int64_t ix = x.start; ix < x.end; ix += x.step) {
                REAL value = rows->in[(row + ix) * rows->channels];
                // True too for a NaN value, unless the best is one already.
                if (where < 0 || (!(value <= best) && best == best)) {
                    best = value;
                    where = row + ix;
                }
            }
        }
    }
    *index = where;
    return best;
}

/// LANES windows side by side, the first of them starting at x. `taps`, `stride` and `dilation` are those of x.
static inline __attribute__((always_inline)) vector max_windows(const window_rows *rows, int64_t x, int64_t taps, int64_t stride, int64_t dilation,
                                 wide_lanes *index) {
    const ck_pooling *p = rows->p;
    vector best = {0};
    lanes where = {0};
    int first = 1;
    for (int64_t iz = rows->z.start; iz < rows->z.end; iz += rows->z.step) {
        for (int64_t iy = rows->y.start; iy < rows->y.end; iy += rows->y.step) {
            int64_t row = (iz * p->input[1] + iy) * p->input[2] + x;
            for (int64_t tap = 0; tap < taps; tap++, row += dilation) {
                vector value = load_spaced(rows->in + row, stride);
                lanes taken = first ? ~(lanes){0} : (~(value <= best) & (best == best));
                best = (vector)(((lanes)value & taken) | ((lanes)best & ~taken));
                where = (((lanes){0} + (lane_index)row) & taken) | (where & ~taken);
                first = 0;
            }
        }
    }
    wide_lanes steps;
    for (int i = 0; i < LANES; i++) steps[i] = i * stride;
    *index = __builtin_convertvector(where, wide_lanes) + steps;
    return best;
}

static inline __attribute__((always_inline)) void max_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    REAL *out = job->out + plane * volume(p->output);
    int64_t *indices = job->indices + plane * volume(p->output);
    window_rows rows = {.p = p, .in = job->in + plane * volume(p->input), .channels = 1};
    int64_t readable = (p->planes - plane) * volume(p->input);
    const int is_three = p->kernel[2] == 3 && p->dilation[2] == 1;
    for (int64_t oz = 0; oz < p->output[0]; oz++) {
        rows.z = window_span(p, 0, oz);
        for (int64_t oy = 0; oy < p->output[1]; oy++, out += p->output[2], indices += p->output[2]) {
            rows.y = window_span(p, 1, oy);
            int64_t first = 0, end = 0, ox = 0;
            int empty = rows.z.start >= rows.z.end || rows.y.start >= rows.y.end;
            if (!empty && volume(p->input) <= INT32_MAX) {
                int64_t last_row = (rows.z.end - 1) * p->input[1] + rows.y.end - 1;
                vector_range(p, last_row * p->input[2], readable, &first, &end);
            }
            for (; ox < first; ox++) out[ox] = max_window(&rows, ox, &indices[ox]);
            for (; ox < end; ox += LANES) {
                wide_lanes index;
                const int64_t here = smaller(ox, end - LANES);  // the last vector may overlap the one before
                int64_t x = here * p->stride[2] - p->padding[2];
                vector best = is_three && p->stride[2] == 2 ? max_windows(&rows, x, 3, 2, 1, &index)
                    : is_three ? max_windows(&rows, x, 3, 1, 1, &index)
                    : max_windows(&rows, x, p->kernel[2], p->stride[2], p->dilation[2], &index);
                *(loose_vector *)(out + here) = best;
                *(loose_wide_lanes *)(indices + here) = index;
            }
            for (ox = end; ox < p->output[2]; ox++) out[ox] = max_window(&rows, ox, &indices[ox]);
        }
    }
}

/// Windows of 2 by 2 side by side: no padding, nothing but whole windows, at least a vector of them in a row.
static int is_halving(const ck_pooling *p) {
    for (int a = 1; a < 3; a++) {
        if (p->kernel[a] != 2 || p->stride[a] != 2 || p->padding[a] != 0 || p->dilation[a] != 1) return 0;
        if (2 * p->output[a] > p->input[a]) return 0;
    }
    return p->input[0] == 1 && p->output[0] == 1 && p->kernel[0] == 1 && p->padding[0] == 0 && p->output[2] >= LANES
        && volume(p->input) <= INT32_MAX;
}

static inline __attribute__((always_inline)) void take_larger(vector value, lanes at, vector *best, lanes *where) {
    const lanes taken = ~(value <= *best) & (*best == *best);
    *best = (vector)(((lanes)value & taken) | ((lanes)*best & ~taken));
    *where = (at & taken) | (*where & ~taken);
}

static inline __attribute__((always_inline)) void halve_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const REAL *in = job->in + plane * volume(p->input);
    const int64_t width = p->input[2], columns = p->output[2];
    REAL *out = job->out + plane * volume(p->output);
    int64_t *indices = job->indices + plane * volume(p->output);
    lanes steps;
    for (int i = 0; i < LANES; i++) steps[i] = 2 * i;
    for (int64_t y = 0; y < p->output[1]; y++, out += columns, indices += columns) {
        for (int64_t x = 0; x < columns; x += LANES) {
            const int64_t here = smaller(x, columns - LANES);  // the last vector may overlap the one before
            const int64_t first = 2 * (y * width + here);
            vector best = {0};
            lanes where = {0};
            for (int row = 0; row < 2; row++) {
                const REAL *from = in + first + row * width;
                const vector low = *(const loose_vector *)from, high = *(const loose_vector *)(from + LANES);
                const vector even = __builtin_shufflevector(low, high, EVEN_LANES);
                const lanes at = steps + (lane_index)(first + row * width);
                if (row == 0) {
                    best = even;
                    where = at;
                } else {
                    take_larger(even, at, &best, &where);
                }
                take_larger(__builtin_shufflevector(low, high, ODD_LANES), at + 1, &best, &where);
            }
            *(loose_vector *)(out + here) = best;
            *(loose_wide_lanes *)(indices + here) = __builtin_convertvector(where, wide_lanes);
        }
    }
}

/// Writes each element of dx once: dy where it was the maximum of its window, else 0.
static inline __attribute__((always_inline)) void halve_grad_rows(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const int64_t width = p->input[2], columns = p->output[2];
    REAL *dx = job->out + plane * volume(p->input);
    const REAL *dy = job->in + plane * volume(p->output);
    const int64_t *chosen = job->chosen + plane * volume(p->output);
    lanes steps;
    for (int i = 0; i < LANES; i++) steps[i] = 2 * i;
    for (int64_t y = 0; y < p->output[1]; y++, dy += columns, chosen += columns) {
        for (int64_t x = 0; x < columns; x += LANES) {
            const int64_t here = smaller(x, columns - LANES);  // the last vector may overlap the one before
            const lanes gradient = (lanes)*(const loose_vector *)(dy + here);
            const lanes where = __builtin_convertvector(*(const loose_wide_lanes *)(chosen + here), lanes);
            for (int row = 0; row < 2; row++) {
                const int64_t first = (2 * y + row) * width + 2 * here;
                const lanes at = steps + (lane_index)first;
                const vector even = (vector)(gradient & (where == at)), odd = (vector)(gradient & (where == at + 1));
                *(loose_vector *)(dx + first) = __builtin_shufflevector(even, odd, LOW_PAIRS);
                *(loose_vector *)(dx + first + LANES) = __builtin_shufflevector(even, odd, HIGH_PAIRS);
            }
        }
        for (int row = 0; row < 2; row++) {
            const int64_t end = (2 * y + row) * width + 2 * columns;
            memset(dx + end, 0, (size_t)(width - 2 * columns) * sizeof(REAL));
        }
    }
    const int64_t done = 2 * p->output[1] * width;
    memset(dx + done, 0, (size_t)(volume(p->input) - done) * sizeof(REAL));
}

static void max_plane(const pooling_job *job, int64_t plane) { max_rows(job, plane); }
static void halve_plane(const pooling_job *job, int64_t plane) { halve_rows(job, plane); }
static void halve_grad_plane(const pooling_job *job, int64_t plane) { halve_grad_rows(job, plane); }

#if defined(__x86_64__)
// Selects and widens indices in fewer instructions.
__attribute__((target("avx2"))) static void max_plane_avx2(const pooling_job *job, int64_t plane) { max_rows(job, plane); }
__attribute__((target("avx2"))) static void halve_plane_avx2(const pooling_job *job, int64_t plane) {
    halve_rows(job, plane);
}
__attribute__((target("avx2"))) static void halve_grad_plane_avx2(const pooling_job *job, int64_t plane) {
    halve_grad_rows(job, plane);
}
#endif

static void max_grad_plane(const pooling_job *job, int64_t plane) {
    int64_t outputs = volume(job->p->output), inputs = volume(job->p->input);
    REAL *dx = job->out + plane * inputs;
    const REAL *dy = job->in + plane * outputs;
    const int64_t *chosen = job->chosen + plane * outputs;
    memset(dx, 0, (size_t)inputs * sizeof(REAL));
    for (int64_t i = 0; i < outputs; i++) {
        if (chosen[i] >= 0) dx[chosen[i]] += dy[i];
    }
}

#include "pooling_averages.h"
#include "pooling_channels.h"

void TYPED(ck_max_pool)(const ck_pooling *p, REAL *y, int64_t *indices, const REAL *x) {
    pooling_job job = {.p = p, .out = y, .indices = indices, .in = x};
    job.run = p->channels ? max_part : is_halving(p) ? halve_plane : max_plane;
#if defined(__x86_64__)
    if (ck_isa_current() != CK_ISA_BASELINE) {
        job.run = p->channels ? max_part_avx2 : is_halving(p) ? halve_plane_avx2 : max_plane_avx2;
    }
#endif
    run_pooling(job, p->channels ? output_rows(p) : 1);
}

void TYPED(ck_max_pool_grad)(const ck_pooling *p, REAL *dx, const REAL *dy, const int64_t *indices) {
    pooling_job job = {.p = p, .out = dx, .in = dy, .chosen = indices};
    if (p->channels) {
        run_max_grad(job);
        return;
    }
    job.run = is_halving(p) ? halve_grad_plane : max_grad_plane;
#if defined(__x86_64__)
    if (is_halving(p) && ck_isa_current() != CK_ISA_BASELINE) job.run = halve_grad_plane_avx2;
#endif
    run_pooling(job, 1);
}

void TYPED(ck_average_pool)(const ck_pooling *p, REAL *y, const REAL *x) {
    pooling_job job = {.p = p, .out = y, .in = x, .run = p->channels ? average_part : average_plane};
#if defined(__x86_64__)
    if (!p->channels && ck_isa_current() != CK_ISA_BASELINE) job.run = average_plane_avx2;
#endif
    run_pooling(job, p->channels ? output_rows(p) : 1);
}

void TYPED(ck_average_pool_grad)(const ck_pooling *p, REAL *dx, const REAL *dy) {
    pooling_job job = {.p = p, .out = dx, .in = dy, .run = p->channels ? average_grad_channels : average_grad_plane};
#if defined(__x86_64__)
    if (!p->channels && ck_isa_current() != CK_ISA_BASELINE) job.run = average_grad_plane_avx2;
#endif
    if (!p->channels && is_halving(p)) job.run = halve_average_grad_plane;
    run_pooling(job, 1);
}
