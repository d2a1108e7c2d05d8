/// The kernels of channels_kernels.h where a channel's places are runs of memory, for one element type: included by both_reals.h.
///
/// A channel is read once for its statistics and again for the result, then from the cache. Deviations are summed up from its first
/// element, exactly for floats: no element is further from the mean than all of them together allow, so that little cancels.
#include "rows_vectors_body.h"

/// The variance of `count` elements from the sums of their deviations and of the squares of these.
CK_INLINE double T(variance_of)(double sum, double squares, double count)
{
    double variance = squares / count - sum / count * (sum / count);
    return variance < 0 ? 0 : variance;
}

/// Asks for what lies `step` elements on. The next run of a channel is too far away for the machine to guess.
CK_INLINE void T(ask_for)(const REAL *here, int64_t step) { __builtin_prefetch(here + step); }

#define FOR_EACH_RUN(run, array) \
    for (const REAL *run = (const REAL *)(array) + c * places, *last = run + a->batch * step; run != last; run += step)

CK_INLINE void T(write_runs)(int64_t c, const ck_channel_arrays *a, int added, int rectified, REAL mean, double scale,
                             double shift)
{
    int64_t places = a->places, step = a->channels * places;
    FOR_EACH_RUN(x, a->x) {
        int64_t offset = x - (const REAL *)a->x;
        for (int64_t j = 0; j < places; j += LANES) {
            VECTOR y = MADD(T(columns_at)(x, j, places, 0) - mean, T(splat)((REAL)scale), T(splat)((REAL)shift));
            if (added) {
                const REAL *from = (const REAL *)a->added + offset;
                y += T(columns_at)(from, j, places, 0);
                T(ask_for)(from + j, step);
            }
            if (rectified) y = T(at_least)(y, 0);
            T(put_columns)((REAL *)a->out + offset, j, places, y);
        }
    }
}

static void T(norm_runs)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t places = a->places, step = a->channels * places;
    double count = (double)(a->batch * places);
    for (int64_t c = first; c < end; c++) {
        T(row_sum) sums = {0}, squares = {0};
        REAL start = ((const REAL *)a->x)[c * places];
        FOR_EACH_RUN(x, a->x)
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR here = T(columns_at)(x, j, places, start);
                T(ask_for)(x + j, step);
                for (int h = 0; h < PARTS; h++) {
                    f64v deviation = WIDEN(here, h) - start;
                    sums.part[h] += deviation;
                    squares.part[h] = MADD(deviation, deviation, squares.part[h]);
                }
            }
        double sum = T(sum_total)(&sums), exact = start + sum / count;
        double variance = T(variance_of)(sum, T(sum_total)(&squares), count);
        REAL mean = (REAL)exact;
        double rstd = 1 / sqrt(variance + a->eps);
        double scale = rstd * (a->weight ? ((const REAL *)a->weight)[c] : 1);
        double shift = (a->bias ? ((const REAL *)a->bias)[c] : 0) - (exact - mean) * scale;
        ((REAL *)a->mean)[c] = mean;
        ((REAL *)a->rstd)[c] = (REAL)rstd;
        ((REAL *)a->variance)[c] = (REAL)variance;
        if (a->added) T(write_runs)(c, a, 1, a->rectified, mean, scale, shift);
        else T(write_runs)(c, a, 0, a->rectified, mean, scale, shift);
    }
}

/// dx = s (g - mean(g) - (x - mean) rstd^2 mean(g (x - mean))) with s = rstd weight; g is dy, or what a rectifier lets through of
/// it, which goes to its place in memory meanwhile.
static void T(norm_grad_runs)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t places = a->places, step = a->channels * places;
    double count = (double)(a->batch * places);
    REAL *passed = a->y ? a->added_grad ? a->added_grad : a->out : 0;
    for (int64_t c = first; c < end; c++) {
        REAL mean = ((const REAL *)a->mean)[c];
        double rstd = ((const REAL *)a->rstd)[c];
        T(row_sum) sum = {0}, products = {0};
        FOR_EACH_RUN(dy, a->dy) {
            int64_t offset = dy - (const REAL *)a->dy;
            const REAL *x = (const REAL *)a->x + offset;
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR g = T(columns_at)(dy, j, places, 0), d = T(columns_at)(x, j, places, mean) - mean;
                T(ask_for)(dy + j, step);
                T(ask_for)(x + j, step);
                if (passed) {
                    const REAL *y = (const REAL *)a->y + offset;
                    T(ask_for)(y + j, step);
                    g = T(columns_at)(y, j, places, 0) <= 0 ? (VECTOR)0 : g;
                    T(put_columns)(passed + offset, j, places, g);
                }
                T(add_to_sum)(&sum, g);
                for (int h = 0; h < PARTS; h++) products.part[h] = MADD(WIDEN(g, h), WIDEN(d, h), products.part[h]);
            }
        }
        double total = T(sum_total)(&sum), product = T(sum_total)(&products);
        ((REAL *)a->bias_grad)[c] = (REAL)total;
        ((REAL *)a->weight_grad)[c] = (REAL)(product * rstd);
        double scale = rstd * (a->weight ? ((const REAL *)a->weight)[c] : 1);
        REAL slope = (REAL)(-scale * rstd * rstd * product / count), shift = (REAL)(-scale * total / count);
        const REAL *gradient = passed ? passed : a->dy;
        FOR_EACH_RUN(from, gradient) {
            int64_t offset = from - gradient;
            const REAL *x = (const REAL *)a->x + offset;
            REAL *dx = (REAL *)a->out + offset;
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR g = T(columns_at)(from, j, places, 0), d = T(columns_at)(x, j, places, mean) - mean;
                VECTOR rest = MADD(d, T(splat)(slope), T(splat)(shift));
                T(put_columns)(dx, j, places, MADD(g, T(splat)((REAL)scale), rest));
            }
        }
    }
}

#undef FOR_EACH_RUN

#include "channels_neighbours_body.h"
