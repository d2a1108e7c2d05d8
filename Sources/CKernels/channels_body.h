/// The kernels of channels_kernels.h for one element type: included by both_reals.h.
///
/// A channel is read twice for its statistics and a third time for the result; all but the first time it comes from the
/// cache. Deviations are from the rounded mean, which the lanes past the end can hold too; what that adds to the variance,
/// (mean - rounded mean)^2, is taken off again.
#include "rows_vectors_body.h"

// MARK: A channel's places are runs of memory

#define FOR_EACH_RUN(run, array) \
    for (const REAL *run = (const REAL *)(array) + c * places, *last = run + a->batch * step; run != last; run += step)

static void T(norm_runs)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t places = a->places, step = a->channels * places;
    double count = (double)(a->batch * places);
    for (int64_t c = first; c < end; c++) {
        T(row_sum) sum = {0}, squares = {0};
        FOR_EACH_RUN(x, a->x)
            for (int64_t j = 0; j < places; j += LANES) T(add_to_sum)(&sum, T(columns_at)(x, j, places, 0));
        double exact = T(sum_total)(&sum) / count;
        REAL mean = (REAL)exact;
        FOR_EACH_RUN(x, a->x)
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR deviation = T(columns_at)(x, j, places, mean) - mean;
                for (int h = 0; h < PARTS; h++)
                    squares.part[h] = MADD(WIDEN(deviation, h), WIDEN(deviation, h), squares.part[h]);
            }
        double variance = T(sum_total)(&squares) / count - (exact - mean) * (exact - mean);
        double rstd = 1 / sqrt(variance + a->eps);
        double scale = rstd * (a->weight ? ((const REAL *)a->weight)[c] : 1);
        REAL shift = (REAL)((a->bias ? ((const REAL *)a->bias)[c] : 0) - (exact - mean) * scale);
        ((REAL *)a->mean)[c] = mean;
        ((REAL *)a->rstd)[c] = (REAL)rstd;
        ((REAL *)a->variance)[c] = (REAL)variance;
        FOR_EACH_RUN(x, a->x) {
            REAL *y = (REAL *)a->out + (x - (const REAL *)a->x);
            for (int64_t j = 0; j < places; j += LANES)
                T(put_columns)(y, j, places, MADD(T(columns_at)(x, j, places, 0) - mean, T(splat)((REAL)scale), T(splat)(shift)));
        }
    }
}

/// dx = s (dy - mean(dy) - (x - mean) rstd^2 mean(dy (x - mean))) with s = rstd weight
static void T(norm_grad_runs)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t places = a->places, step = a->channels * places;
    double count = (double)(a->batch * places);
    for (int64_t c = first; c < end; c++) {
        REAL mean = ((const REAL *)a->mean)[c];
        double rstd = ((const REAL *)a->rstd)[c];
        T(row_sum) sum = {0}, products = {0};
        FOR_EACH_RUN(dy, a->dy) {
            const REAL *x = (const REAL *)a->x + (dy - (const REAL *)a->dy);
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR g = T(columns_at)(dy, j, places, 0), d = T(columns_at)(x, j, places, mean) - mean;
                T(add_to_sum)(&sum, g);
                for (int h = 0; h < PARTS; h++) products.part[h] = MADD(WIDEN(g, h), WIDEN(d, h), products.part[h]);
            }
        }
        double total = T(sum_total)(&sum), product = T(sum_total)(&products);
        ((REAL *)a->bias_grad)[c] = (REAL)total;
        ((REAL *)a->weight_grad)[c] = (REAL)(product * rstd);
        double scale = rstd * (a->weight ? ((const REAL *)a->weight)[c] : 1);
        REAL slope = (REAL)(-scale * rstd * rstd * product / count), shift = (REAL)(-scale * total / count);
        FOR_EACH_RUN(dy, a->dy) {
            int64_t offset = dy - (const REAL *)a->dy;
            const REAL *x = (const REAL *)a->x + offset;
            REAL *dx = (REAL *)a->out + offset;
            for (int64_t j = 0; j < places; j += LANES) {
                VECTOR g = T(columns_at)(dy, j, places, 0), d = T(columns_at)(x, j, places, mean) - mean;
                VECTOR rest = MADD(d, T(splat)(slope), T(splat)(shift));
                T(put_columns)(dx, j, places, MADD(g, T(splat)((REAL)scale), rest));
            }
        }
    }
}

#undef FOR_EACH_RUN

// MARK: One place, channels are neighbours: a lane for each

static void T(norm_neighbours)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t channels = a->channels;
    double count = (double)a->batch;
    for (int64_t c = first; c < end; c += LANES) {
        f64v sum[PARTS] = {0}, squares[PARTS] = {0}, exact[PARTS], rstd[PARTS], variance[PARTS];
        for (int64_t i = 0; i < a->batch; i++) {
            VECTOR x = T(columns_at)((const REAL *)a->x + i * channels, c, end, 0);
            for (int h = 0; h < PARTS; h++) sum[h] += WIDEN(x, h);
        }
        for (int h = 0; h < PARTS; h++) exact[h] = sum[h] / count;
        VECTOR mean = NARROW(exact);
        for (int64_t i = 0; i < a->batch; i++) {
            VECTOR deviation = T(columns_at)((const REAL *)a->x + i * channels, c, end, 0) - mean;
            for (int h = 0; h < PARTS; h++)
                squares[h] = MADD(WIDEN(deviation, h), WIDEN(deviation, h), squares[h]);
        }
        for (int h = 0; h < PARTS; h++) {
            f64v lost = exact[h] - WIDEN(mean, h);
            variance[h] = squares[h] / count - lost * lost;
            rstd[h] = 1 / sqrt_f64(variance[h] + a->eps);
        }
        VECTOR scale = NARROW(rstd), shift = T(splat)(0);
        T(put_columns)(a->mean, c, end, mean);
        T(put_columns)(a->rstd, c, end, scale);
        T(put_columns)(a->variance, c, end, NARROW(variance));
        if (a->weight) scale *= T(columns_at)(a->weight, c, end, 0);
        if (a->bias) shift = T(columns_at)(a->bias, c, end, 0);
        for (int64_t i = 0; i < a->batch; i++) {
            VECTOR x = T(columns_at)((const REAL *)a->x + i * channels, c, end, 0);
            T(put_columns)((REAL *)a->out + i * channels, c, end, MADD(x - mean, scale, shift));
        }
    }
}

static void T(norm_grad_neighbours)(int64_t first, int64_t end, const ck_channel_arrays *a)
{
    int64_t channels = a->channels;
    REAL share = (REAL)(1 / (double)a->batch);
    for (int64_t c = first; c < end; c += LANES) {
        VECTOR mean = T(columns_at)(a->mean, c, end, 0), rstd = T(columns_at)(a->rstd, c, end, 0);
        f64v sum[PARTS] = {0}, products[PARTS] = {0};
        for (int64_t i = 0; i < a->batch; i++) {
            VECTOR g = T(columns_at)((const REAL *)a->dy + i * channels, c, end, 0);
            VECTOR d = T(columns_at)((const REAL *)a->x + i * channels, c, end, 0) - mean;
            for (int h = 0; h < PARTS; h++) {
                sum[h] += WIDEN(g, h);
                products[h] = MADD(WIDEN(g, h), WIDEN(d, h), products[h]);
            }
        }
        VECTOR total = NARROW(sum), product = NARROW(products) * rstd;
        T(put_columns)(a->bias_grad, c, end, total);
        T(put_columns)(a->weight_grad, c, end, product);
        VECTOR scale = a->weight ? rstd * T(columns_at)(a->weight, c, end, 0) : rstd;
        VECTOR slope = product * rstd * share, shift = total * share;
        for (int64_t i = 0; i < a->batch; i++) {
            VECTOR g = T(columns_at)((const REAL *)a->dy + i * channels, c, end, 0);
            VECTOR d = T(columns_at)((const REAL *)a->x + i * channels, c, end, 0) - mean;
            T(put_columns)((REAL *)a->out + i * channels, c, end, scale * NMADD(d, slope, g - shift));
        }
    }
}
