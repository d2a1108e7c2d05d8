#include "rows_kernels.h"

#include "ck_pool.h"

// Elements that take some tens of microseconds.
#define BLOCK 16384

const ck_rows_kernels *ck_rows_current(void) { return CK_CURRENT_TABLE(ck_rows); }

typedef struct rows_job {
    ck_rows_kernel kernel;
    const ck_row_arrays *arrays;
    int64_t rows, columns, block;
} rows_job;

static void run_block(void *context, int64_t block)
{
    const rows_job *job = context;
    int64_t first = block * job->block, end = first + job->block;
    job->kernel(first, end < job->rows ? end : job->rows, job->columns, job->arrays);
}

static void run(ck_rows_kernel kernel, int64_t rows, int64_t columns, const ck_row_arrays *arrays)
{
    if (rows == 0 || columns == 0) return;
    rows_job job = {.kernel = kernel, .arrays = arrays, .rows = rows, .columns = columns};
    job.block = rows * columns <= BLOCK ? rows : 1 + (BLOCK - 1) / columns;
    if (job.block >= rows) kernel(0, rows, columns, arrays);
    else ck_parallel((rows + job.block - 1) / job.block, run_block, &job);
}

void ck_softmax_f32(int logarithm, int64_t rows, int64_t columns, float *y, const float *x)
{
    run(ck_rows_current()->softmax[0][logarithm != 0], rows, columns, &(ck_row_arrays){.out = y, .x = x});
}
void ck_softmax_f64(int logarithm, int64_t rows, int64_t columns, double *y, const double *x)
{
    run(ck_rows_current()->softmax[1][logarithm != 0], rows, columns, &(ck_row_arrays){.out = y, .x = x});
}
void ck_softmax_grad_f32(int logarithm, int64_t rows, int64_t columns, float *dx, const float *dy, const float *y)
{
    run(ck_rows_current()->softmax_grad[0][logarithm != 0], rows, columns, &(ck_row_arrays){.out = dx, .x = dy, .other = y});
}
void ck_softmax_grad_f64(int logarithm, int64_t rows, int64_t columns, double *dx, const double *dy, const double *y)
{
    run(ck_rows_current()->softmax_grad[1][logarithm != 0], rows, columns, &(ck_row_arrays){.out = dx, .x = dy, .other = y});
}

void ck_layer_norm_f32(int64_t rows, int64_t columns, float *y, float *mean, float *rstd, const float *x,
                       const float *weight, const float *bias, float eps)
{
    ck_row_arrays arrays = {.out = y, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .eps = eps};
    run(ck_rows_current()->layer_norm[0], rows, columns, &arrays);
}
void ck_layer_norm_f64(int64_t rows, int64_t columns, double *y, double *mean, double *rstd, const double *x,
                       const double *weight, const double *bias, double eps)
{
    ck_row_arrays arrays = {.out = y, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .eps = eps};
    run(ck_rows_current()->layer_norm[1], rows, columns, &arrays);
}

// The sums over rows that the gradients of weight and bias are: each block makes its own, and they are added in order.

#define MOST_SUMS 32

int64_t ck_rows_block(int64_t rows, int64_t columns)
{
    int64_t block = 1 + (BLOCK - 1) / (columns > 0 ? columns : 1), least = (rows + MOST_SUMS - 1) / MOST_SUMS;
    return block > least ? block : least;
}

size_t ck_layer_norm_grad_workspace(int64_t rows, int64_t columns)
{
    int64_t block = ck_rows_block(rows, columns);
    return (size_t)((rows + block - 1) / block * CK_SUMS_SIZE(columns)) * sizeof(double);
}

void ck_layer_norm_grad_finish(int is_double, int64_t rows, int64_t columns, const ck_row_arrays *arrays, void *dweight,
                               void *dbias)
{
    double *total = arrays->sums;
    for (int64_t row = 0; row < rows; row += arrays->sums_rows) {
        const double *sums = total + row / arrays->sums_rows * CK_SUMS_SIZE(columns), *parts = sums + 2 * columns;
        for (int64_t j = 0; j < 2 * columns; j++) {
            double sum = sums[j] + (is_double ? parts[j] : (double)((const float *)parts)[j]);
            total[j] = row == 0 ? sum : total[j] + sum;
        }
    }
    for (int64_t j = 0; j < columns; j++) {
        double bias = rows > 0 ? total[j] : 0, weight = rows > 0 ? total[columns + j] : 0;
        if (is_double) ((double *)dbias)[j] = bias, ((double *)dweight)[j] = weight;
        else ((float *)dbias)[j] = (float)bias, ((float *)dweight)[j] = (float)weight;
    }
}

/// `workspace` is for the sums, which are not made when `dweight` is null.
static void layer_norm_grad(int is_double, int64_t rows, int64_t columns, ck_row_arrays *arrays, void *dweight,
                            void *dbias, void *workspace)
{
    ck_rows_kernel kernel = ck_rows_current()->layer_norm_grad[is_double];
    if (!dweight) {
        run(kernel, rows, columns, arrays);
        return;
    }
    arrays->sums = workspace;
    arrays->sums_rows = ck_rows_block(rows, columns);
    rows_job job = {.kernel = kernel, .arrays = arrays, .rows = rows, .columns = columns, .block = arrays->sums_rows};
    int64_t blocks = columns == 0 ? 0 : (rows + job.block - 1) / job.block;
    if (blocks == 1) run_block(&job, 0);
    else ck_parallel(blocks, run_block, &job);
    ck_layer_norm_grad_finish(is_double, rows, columns, arrays, dweight, dbias);
}

void ck_layer_norm_grad_f32(int64_t rows, int64_t columns, float *dx, float *dweight, float *dbias, const float *dy,
                            const float *x, const float *mean, const float *rstd, const float *weight, void *workspace)
{
    ck_row_arrays arrays = {.out = dx, .x = dy, .other = x, .mean = (void *)mean, .rstd = (void *)rstd,
                            .weight = weight};
    layer_norm_grad(0, rows, columns, &arrays, dweight, dbias, workspace);
}
void ck_layer_norm_grad_f64(int64_t rows, int64_t columns, double *dx, double *dweight, double *dbias, const double *dy,
                            const double *x, const double *mean, const double *rstd, const double *weight,
                            void *workspace)
{
    ck_row_arrays arrays = {.out = dx, .x = dy, .other = x, .mean = (void *)mean, .rstd = (void *)rstd,
                            .weight = weight};
    layer_norm_grad(1, rows, columns, &arrays, dweight, dbias, workspace);
}
