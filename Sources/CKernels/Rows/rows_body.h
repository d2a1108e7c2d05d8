/// The kernels of rows_kernels.h for one element type: included by both_reals.h.

#include "rows_vectors_body.h"

// MARK: Softmax

/// Rows that fit a vector never leave it: reading back what a masked store wrote is slow.
static void T(short_softmax)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    for (int64_t i = first; i < end; i++) {
        VECTOR x = T(columns_at)((const REAL *)arrays->x + i * columns, 0, columns, -INFINITY);
        VECTOR e = T(exp)(x - T(largest)(x));
        T(row_sum) sum = {0};
        T(add_to_sum)(&sum, e);
        T(put_columns)((REAL *)arrays->out + i * columns, 0, columns, e * (REAL)(1 / T(sum_total)(&sum)));
    }
}

static void T(softmax)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    if (columns <= LANES) {
        T(short_softmax)(first, end, columns, arrays);
        return;
    }
    for (int64_t i = first; i < end; i++) {
        const REAL *x = (const REAL *)arrays->x + i * columns;
        REAL *y = (REAL *)arrays->out + i * columns;
        REAL maximum = T(row_maximum)(x, columns);
        REAL scale = (REAL)(1 / T(row_exponentials)(x, columns, maximum, y));
        for (int64_t j = 0; j < columns; j += LANES)
            T(put_columns)(y, j, columns, T(columns_at)(y, j, columns, 0) * scale);
    }
}

static void T(log_softmax)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    for (int64_t i = first; i < end; i++) {
        const REAL *x = (const REAL *)arrays->x + i * columns;
        REAL *y = (REAL *)arrays->out + i * columns;
        REAL maximum = T(row_maximum)(x, columns);
        REAL total = (REAL)log(T(row_exponentials)(x, columns, maximum, 0));
        for (int64_t j = 0; j < columns; j += LANES)
            T(put_columns)(y, j, columns, (T(columns_at)(x, j, columns, 0) - maximum) - total);
    }
}

/// y (dy - sum(dy y))
static void T(softmax_grad)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    for (int64_t i = first; i < end; i++) {
        const REAL *dy = (const REAL *)arrays->x + i * columns, *y = (const REAL *)arrays->other + i * columns;
        REAL *dx = (REAL *)arrays->out + i * columns;
        T(row_sum) sum = {0};
        for (int64_t j = 0; j < columns; j += LANES) {
            VECTOR a = T(columns_at)(dy, j, columns, 0), b = T(columns_at)(y, j, columns, 0);
            for (int h = 0; h < PARTS; h++) sum.part[h] = MADD(WIDEN(a, h), WIDEN(b, h), sum.part[h]);
        }
        REAL total = (REAL)T(sum_total)(&sum);
        for (int64_t j = 0; j < columns; j += LANES) {
            VECTOR a = T(columns_at)(dy, j, columns, 0), b = T(columns_at)(y, j, columns, 0);
            T(put_columns)(dx, j, columns, b * (a - total));
        }
    }
}

/// dy - exp(y) sum(dy)
static void T(log_softmax_grad)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    for (int64_t i = first; i < end; i++) {
        const REAL *dy = (const REAL *)arrays->x + i * columns, *y = (const REAL *)arrays->other + i * columns;
        REAL *dx = (REAL *)arrays->out + i * columns;
        T(row_sum) sum = {0};
        for (int64_t j = 0; j < columns; j += LANES) T(add_to_sum)(&sum, T(columns_at)(dy, j, columns, 0));
        REAL total = (REAL)T(sum_total)(&sum);
        for (int64_t j = 0; j < columns; j += LANES) {
            VECTOR e = T(exp)(T(columns_at)(y, j, columns, 0));
            T(put_columns)(dx, j, columns, NMADD(e, T(splat)(total), T(columns_at)(dy, j, columns, 0)));
        }
    }
}

// MARK: Layer norm

static void T(layer_norm)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    const REAL *weight = arrays->weight, *bias = arrays->bias;
    for (int64_t i = first; i < end; i++) {
        const REAL *x = (const REAL *)arrays->x + i * columns;
        REAL *y = (REAL *)arrays->out + i * columns;
        T(row_sum) sum = {0}, squares = {0};
        for (int64_t j = 0; j < columns; j += LANES) T(add_to_sum)(&sum, T(columns_at)(x, j, columns, 0));
        double mean = T(sum_total)(&sum) / (double)columns;
        for (int64_t j = 0; j < columns; j += LANES) {
            // The lanes past the end must add nothing: their deviation is the mean's rounding, then taken out.
            VECTOR value = T(columns_at)(x, j, columns, 0);
            for (int h = 0; h < PARTS; h++) {
                f64v deviation = WIDEN(value, h) - mean;
                if (j + LANES > columns) {
                    for (int k = 0; k < CK_F64_LANES; k++)
                        if (j + h * CK_F64_LANES + k >= columns) deviation[k] = 0;
                }
                squares.part[h] = MADD(deviation, deviation, squares.part[h]);
            }
        }
        double rstd = 1 / sqrt(T(sum_total)(&squares) / (double)columns + arrays->eps);
        ((REAL *)arrays->mean)[i] = (REAL)mean;
        ((REAL *)arrays->rstd)[i] = (REAL)rstd;
        for (int64_t j = 0; j < columns; j += LANES) {
            VECTOR value = T(columns_at)(x, j, columns, 0);
            f64v parts[PARTS];
            for (int h = 0; h < PARTS; h++) parts[h] = (WIDEN(value, h) - mean) * rstd;
            value = NARROW(parts);
            VECTOR shift = bias ? T(columns_at)(bias, j, columns, 0) : T(splat)(0);
            if (weight) value = MADD(value, T(columns_at)(weight, j, columns, 0), shift);
            else if (bias) value += shift;
            T(put_columns)(y, j, columns, value);
        }
    }
}

CK_INLINE void T(add_gradients)(const REAL *dy, const REAL *x, const REAL *weight, int64_t j, int64_t columns, REAL mean,
                                REAL rstd, T(row_sum) *sum, T(row_sum) *products)
{
    VECTOR g = T(columns_at)(dy, j, columns, 0), z = (T(columns_at)(x, j, columns, mean) - mean) * rstd;
    if (weight) g *= T(columns_at)(weight, j, columns, 0);
    T(add_to_sum)(sum, g);
    for (int h = 0; h < PARTS; h++) products->part[h] = MADD(WIDEN(g, h), WIDEN(z, h), products->part[h]);
}

/// dx = rstd (g - mean(g) - z mean(g z)) for g = dy weight and z = (x - mean) rstd. With `parts` adds to these, a number for
/// each column, dy, and dy z behind them.
static void T(layer_norm_grad_row)(int64_t row, int64_t columns, const ck_row_arrays *arrays, REAL *parts)
{
    const REAL *dy = (const REAL *)arrays->x + row * columns, *x = (const REAL *)arrays->other + row * columns;
    const REAL *weight = arrays->weight;
    REAL *dx = (REAL *)arrays->out + row * columns;
    REAL mean = ((const REAL *)arrays->mean)[row], rstd = ((const REAL *)arrays->rstd)[row];
    T(row_sum) sum = {0}, products = {0};
    int64_t whole = columns / LANES * LANES;
    for (int64_t j = 0; j < whole; j += LANES) T(add_gradients)(dy, x, weight, j, INT64_MAX, mean, rstd, &sum, &products);
    if (whole < columns) T(add_gradients)(dy, x, weight, whole, columns, mean, rstd, &sum, &products);
    REAL mean_g = (REAL)(T(sum_total)(&sum) / (double)columns);
    REAL mean_gz = (REAL)(T(sum_total)(&products) / (double)columns);
    for (int64_t j = 0; j < columns; j += LANES) {
        VECTOR d = T(columns_at)(dy, j, columns, 0), z = (T(columns_at)(x, j, columns, mean) - mean) * rstd, g = d;
        if (weight) g *= T(columns_at)(weight, j, columns, 0);
        T(put_columns)(dx, j, columns, rstd * NMADD(z, T(splat)(mean_gz), g - mean_g));
        if (!parts) continue;
        T(put_columns)(parts, j, columns, T(columns_at)(parts, j, columns, 0) + d);
        T(put_columns)(parts + columns, j, columns, MADD(d, z, T(columns_at)(parts + columns, j, columns, 0)));
    }
}

#define PARTS_ROWS 8  // rows that are added up in REAL before they join the sums in double

/// The sums begin with the first row of their block, and what is not in them at its end is left in the parts.
static void T(layer_norm_grad)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays)
{
    int64_t row = arrays->row + first, done = arrays->sums ? row % arrays->sums_rows : 0;
    double *sums = arrays->sums ? arrays->sums + row / arrays->sums_rows * CK_SUMS_SIZE(columns) : 0;
    REAL *parts = sums ? (REAL *)(sums + 2 * columns) : 0;
    if (sums && done == 0) memset(sums, 0, (size_t)CK_SUMS_SIZE(columns) * sizeof(double));
    for (int64_t i = first; i < end; i++) {
        T(layer_norm_grad_row)(i, columns, arrays, parts);
        if (!sums || ++done % PARTS_ROWS != 0) continue;
        for (int64_t j = 0; j < 2 * columns; j++) {
            sums[j] += parts[j];
            parts[j] = 0;
        }
    }
}

#undef PARTS_ROWS
