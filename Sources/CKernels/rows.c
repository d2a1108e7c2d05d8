#include "rows_kernels.h"

#include "ck_isa.h"
#include "ck_pool.h"

// Elements that take some tens of microseconds.
#define BLOCK 16384

static const ck_rows_kernels *current(void)
{
#if defined(__x86_64__)
    switch (ck_isa_current()) {
    case CK_ISA_AVX512: return &ck_rows_avx512;
    case CK_ISA_AVX2: return &ck_rows_avx2;
    case CK_ISA_BASELINE: break;
    }
#endif
    return &ck_rows_baseline;
}

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
    run(current()->softmax[0][logarithm != 0], rows, columns, &(ck_row_arrays){.out = y, .x = x});
}
void ck_softmax_f64(int logarithm, int64_t rows, int64_t columns, double *y, const double *x)
{
    run(current()->softmax[1][logarithm != 0], rows, columns, &(ck_row_arrays){.out = y, .x = x});
}
void ck_softmax_grad_f32(int logarithm, int64_t rows, int64_t columns, float *dx, const float *dy, const float *y)
{
    run(current()->softmax_grad[0][logarithm != 0], rows, columns, &(ck_row_arrays){.out = dx, .x = dy, .other = y});
}
void ck_softmax_grad_f64(int logarithm, int64_t rows, int64_t columns, double *dx, const double *dy, const double *y)
{
    run(current()->softmax_grad[1][logarithm != 0], rows, columns, &(ck_row_arrays){.out = dx, .x = dy, .other = y});
}

void ck_layer_norm_f32(int64_t rows, int64_t columns, float *y, float *mean, float *rstd, const float *x,
                       const float *weight, const float *bias, float eps)
{
    ck_row_arrays arrays = {.out = y, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .eps = eps};
    run(current()->layer_norm[0], rows, columns, &arrays);
}
void ck_layer_norm_f64(int64_t rows, int64_t columns, double *y, double *mean, double *rstd, const double *x,
                       const double *weight, const double *bias, double eps)
{
    ck_row_arrays arrays = {.out = y, .x = x, .mean = mean, .rstd = rstd, .weight = weight, .bias = bias, .eps = eps};
    run(current()->layer_norm[1], rows, columns, &arrays);
}
void ck_layer_norm_grad_f32(int64_t rows, int64_t columns, float *dx, const float *dy, const float *x,
                            const float *mean, const float *rstd, const float *weight)
{
    ck_row_arrays arrays = {.out = dx, .x = dy, .other = x, .mean = (void *)mean, .rstd = (void *)rstd,
                            .weight = weight};
    run(current()->layer_norm_grad[0], rows, columns, &arrays);
}
void ck_layer_norm_grad_f64(int64_t rows, int64_t columns, double *dx, const double *dy, const double *x,
                            const double *mean, const double *rstd, const double *weight)
{
    ck_row_arrays arrays = {.out = dx, .x = dy, .other = x, .mean = (void *)mean, .rstd = (void *)rstd,
                            .weight = weight};
    run(current()->layer_norm_grad[1], rows, columns, &arrays);
}
