// Pooling kernels of one element type. The including file defines REAL, INTEGER (of the same size), REAL_BYTES (4 or 8) and
// TYPED(name), the public name for this type.

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
    int64_t planes_per_block;
    REAL *out;
    const REAL *in;
    int64_t *indices;
    const int64_t *chosen;
    void (*plane)(const struct pooling_job *job, int64_t plane);
} pooling_job;

static void run_planes(void *context, int64_t block) {
    const pooling_job *job = context;
    int64_t first = block * job->planes_per_block, end = smaller(first + job->planes_per_block, job->p->planes);
    for (int64_t plane = first; plane < end; plane++) job->plane(job, plane);
}

static void pool_planes(pooling_job job) {
    int64_t visits = larger(volume(job.p->input), volume(job.p->output) * volume(job.p->kernel));
    job.planes_per_block = larger(1, BLOCK_ELEMENTS / larger(1, visits));
    int64_t blocks = (job.p->planes + job.planes_per_block - 1) / job.planes_per_block;
    if (blocks == 1) {
        run_planes(&job, 0);
    } else if (blocks > 1) {
        ck_parallel(blocks, run_planes, &job);
    }
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

/// A window that has nothing but padding gives -inf, and the index -1 that the gradient skips.
static void max_plane(const pooling_job *job, int64_t plane) {
    const ck_pooling *p = job->p;
    const REAL *in = job->in + plane * volume(p->input);
    REAL *out = job->out + plane * volume(p->output);
    int64_t *indices = job->indices + plane * volume(p->output);
    for (int64_t oz = 0; oz < p->output[0]; oz++) {
        pooling_span z = window_span(p, 0, oz);
        for (int64_t oy = 0; oy < p->output[1]; oy++) {
            pooling_span y = window_span(p, 1, oy);
            for (int64_t ox = 0; ox < p->output[2]; ox++) {
                pooling_span x = window_span(p, 2, ox);
                REAL best = -(REAL)INFINITY;
                int64_t where = -1;
                for (int64_t iz = z.start; iz < z.end; iz += z.step) {
                    for (int64_t iy = y.start; iy < y.end; iy += y.step) {
                        int64_t row = (iz * p->input[1] + iy) * p->input[2];
                        for (int64_t ix = x.start; ix < x.end; ix += x.step) {
                            REAL value = in[row + ix];
                            // True too for a NaN value, unless the best is one already.
                            if (where < 0 || (!(value <= best) && best == best)) {
                                best = value;
                                where = row + ix;
                            }
                        }
                    }
                }
                *out++ = best;
                *indices++ = where;
            }
        }
    }
}

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

/// Averages (`gradient` = 0: out from in) or spreads dy over dx. A window that has nothing but padding gives 0.
static inline __attribute__((always_inline)) void average_windows(const ck_pooling *p, int gradient, REAL *y_plane,
                                                                  REAL *x_plane, const REAL *dy, const REAL *x_in) {
    int64_t at = 0;
    for (int64_t oz = 0; oz < p->output[0]; oz++) {
        average_span z = average_window(p, 0, oz);
        for (int64_t oy = 0; oy < p->output[1]; oy++) {
            average_span y = average_window(p, 1, oy);
            for (int64_t ox = 0; ox < p->output[2]; ox++, at++) {
                average_span x = average_window(p, 2, ox);
                int empty = z.start >= z.end || y.start >= y.end || x.start >= x.end;
                REAL divisor = empty ? 1 : average_divisor(p, z, y, x), sum = 0;
                REAL share = gradient ? dy[at] / divisor : 0;
                for (int64_t iz = z.start; iz < z.end; iz++) {
                    for (int64_t iy = y.start; iy < y.end; iy++) {
                        int64_t row = (iz * p->input[1] + iy) * p->input[2];
                        for (int64_t ix = x.start; ix < x.end; ix++) {
                            if (gradient) x_plane[row + ix] += share;
                            else sum += x_in[row + ix];
                        }
                    }
                }
                if (!gradient) y_plane[at] = sum / divisor;
            }
        }
    }
}

static void average_plane(const pooling_job *job, int64_t plane) {
    average_windows(job->p, 0, job->out + plane * volume(job->p->output), 0, 0, job->in + plane * volume(job->p->input));
}

static void average_grad_plane(const pooling_job *job, int64_t plane) {
    REAL *dx = job->out + plane * volume(job->p->input);
    memset(dx, 0, (size_t)volume(job->p->input) * sizeof(REAL));
    average_windows(job->p, 1, 0, dx, job->in + plane * volume(job->p->output), 0);
}

void TYPED(ck_max_pool)(const ck_pooling *p, REAL *y, int64_t *indices, const REAL *x) {
    pool_planes((pooling_job){.p = p, .out = y, .indices = indices, .in = x, .plane = max_plane});
}

void TYPED(ck_max_pool_grad)(const ck_pooling *p, REAL *dx, const REAL *dy, const int64_t *indices) {
    pool_planes((pooling_job){.p = p, .out = dx, .in = dy, .chosen = indices, .plane = max_grad_plane});
}

void TYPED(ck_average_pool)(const ck_pooling *p, REAL *y, const REAL *x) {
    pool_planes((pooling_job){.p = p, .out = y, .in = x, .plane = average_plane});
}

void TYPED(ck_average_pool_grad)(const ck_pooling *p, REAL *dx, const REAL *dy) {
    pool_planes((pooling_job){.p = p, .out = dx, .in = dy, .plane = average_grad_plane});
}
