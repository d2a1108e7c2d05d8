#include "channels_kernels.h"

#include "ck_pool.h"

// Elements that take some tens of microseconds.
#define BLOCK 16384
// Neighbouring channels that a block takes together: some cache lines of each row.
#define NEIGHBOURS 128

static const ck_channels_kernels *current(void) { return CK_CURRENT_TABLE(ck_channels); }

typedef struct channels_job {
    ck_channels_kernel kernel;
    const ck_channel_arrays *arrays;
    int64_t block;
} channels_job;

static void run_block(void *context, int64_t block)
{
    const channels_job *job = context;
    int64_t first = block * job->block, end = first + job->block, channels = job->arrays->channels;
    job->kernel(first, end < channels ? end : channels, job->arrays);
}

/// Blocks are multiples of `unit` channels.
static void run(ck_channels_kernel kernel, int64_t unit, const ck_channel_arrays *arrays)
{
    int64_t channels = arrays->channels, elements = arrays->batch * arrays->places;
    if (channels == 0 || elements == 0) return;
    channels_job job = {.kernel = kernel, .arrays = arrays};
    job.block = (1 + (BLOCK - 1) / (elements * unit)) * unit;
    if (job.block >= channels) kernel(0, channels, arrays);
    else ck_parallel((channels + job.block - 1) / job.block, run_block, &job);
}

static void norm(int is_double, const ck_channel_arrays *arrays)
{
    int neighbours = arrays->places == 1;
    run(current()->norm[is_double][neighbours], neighbours ? NEIGHBOURS : 1, arrays);
}
static void norm_grad(int is_double, const ck_channel_arrays *arrays)
{
    int neighbours = arrays->places == 1;
    run(current()->norm_grad[is_double][neighbours], neighbours ? NEIGHBOURS : 1, arrays);
}

void ck_batch_norm_f32(int64_t batch, int64_t channels, int64_t places, float *y, float *mean, float *rstd, float *variance,
                       const float *x, const float *weight, const float *bias, const float *added, int rectified,
                       float eps)
{
    norm(0, &(ck_channel_arrays){.batch = batch, .channels = channels, .places = places, .out = y, .x = x, .mean = mean,
                                 .rstd = rstd, .variance = variance, .weight = weight, .bias = bias, .added = added,
                                 .rectified = rectified, .eps = eps});
}
void ck_batch_norm_f64(int64_t batch, int64_t channels, int64_t places, double *y, double *mean, double *rstd, double *variance,
                       const double *x, const double *weight, const double *bias, const double *added, int rectified,
                       double eps)
{
    norm(1, &(ck_channel_arrays){.batch = batch, .channels = channels, .places = places, .out = y, .x = x, .mean = mean,
                                 .rstd = rstd, .variance = variance, .weight = weight, .bias = bias, .added = added,
                                 .rectified = rectified, .eps = eps});
}
void ck_batch_norm_grad_f32(int64_t batch, int64_t channels, int64_t places, float *dx, float *dweight, float *dbias,
                            float *dadded, const float *dy, const float *y, const float *x, const float *mean,
                            const float *rstd, const float *weight)
{
    norm_grad(0, &(ck_channel_arrays){.batch = batch, .channels = channels, .places = places, .out = dx, .x = x,
                                      .dy = dy, .y = y, .mean = (void *)mean, .rstd = (void *)rstd, .weight = weight,
                                      .weight_grad = dweight, .bias_grad = dbias, .added_grad = dadded});
}
void ck_batch_norm_grad_f64(int64_t batch, int64_t channels, int64_t places, double *dx, double *dweight, double *dbias,
                            double *dadded, const double *dy, const double *y, const double *x, const double *mean,
                            const double *rstd, const double *weight)
{
    norm_grad(1, &(ck_channel_arrays){.batch = batch, .channels = channels, .places = places, .out = dx, .x = x,
                                      .dy = dy, .y = y, .mean = (void *)mean, .rstd = (void *)rstd, .weight = weight,
                                      .weight_grad = dweight, .bias_grad = dbias, .added_grad = dadded});
}
