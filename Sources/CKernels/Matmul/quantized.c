#include "quantized_kernels.h"

#include "ck_pool.h"

// Multiplications that are worth another thread's while.
#define GRAIN (1 << 17)

static const ck_quantized_kernels *current(void) { return CK_CURRENT_TABLE(ck_quantized); }

typedef struct quantized_job {
    ck_quantized_kernel kernel;
    const ck_quantized_linear *call;
    int64_t block;
} quantized_job;

static void run_block(void *context, int64_t block)
{
    const quantized_job *job = context;
    const int64_t first = block * job->block, end = first + job->block, rows = job->call->n;
    job->kernel(first, end < rows ? end : rows, job->call);
}

static void run(ck_quantized_kernel kernel, const ck_quantized_linear *call)
{
    if (call->m == 0 || call->n == 0) return;
    // Fours of rows, which go together.
    const int64_t row = call->m * (call->k > 0 ? call->k : 1), block = (1 + (GRAIN - 1) / (4 * row)) * 4;
    quantized_job job = {.kernel = kernel, .call = call, .block = block};
    if (block >= call->n) kernel(0, call->n, call);
    else ck_parallel((call->n + block - 1) / block, run_block, &job);
}

void ck_linear_int8(int64_t m, int64_t n, int64_t k, float *y, const float *x, const int8_t *weight,
                    const float *scale, const float *bias)
{
    run(current()->int8, &(ck_quantized_linear){.m = m, .n = n, .k = k, .y = y, .x = x, .weight = weight,
                                                .scale = scale, .bias = bias});
}
void ck_linear_bfloat16(int64_t m, int64_t n, int64_t k, float *y, const float *x, const uint16_t *weight,
                        const float *bias)
{
    run(current()->bfloat16, &(ck_quantized_linear){.m = m, .n = n, .k = k, .y = y, .x = x, .weight = weight,
                                                    .bias = bias});
}
