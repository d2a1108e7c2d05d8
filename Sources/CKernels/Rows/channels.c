#include "channels_kernels.h"

#include "ck_pool.h"

#include <string.h>

// Elements that take some microseconds, or some tens where the places of a channel are apart.
#define BLOCK 16384

static const ck_channels_kernels *current(void) { return CK_CURRENT_TABLE(ck_channels); }

// MARK: A channel's places are runs of memory: some channels are a block

typedef struct runs_job {
    ck_channel_runs_kernel kernel;
    const ck_channel_arrays *arrays;
    int64_t block;
} runs_job;

static void run_channels(void *context, int64_t block)
{
    const runs_job *job = context;
    int64_t first = block * job->block, end = first + job->block, channels = job->arrays->channels;
    job->kernel(first, end < channels ? end : channels, job->arrays);
}

static void run_runs(ck_channel_runs_kernel kernel, const ck_channel_arrays *arrays)
{
    int64_t channels = arrays->channels, elements = arrays->batch * arrays->places;
    runs_job job = {.kernel = kernel, .arrays = arrays, .block = 1 + (BLOCK - 1) / elements};
    if (job.block >= channels) kernel(0, channels, arrays);
    else ck_parallel((channels + job.block - 1) / job.block, run_channels, &job);
}

// MARK: One place, channels are neighbours: some rows are a block

#define MOST_SUMS 8192
// Channels that share their blocks: with more, these would be few.
#define PANEL 1024
// Elements up to which it is not worth waking a thread.
#define SMALL (2 * BLOCK)

typedef struct rows_job {
    const ck_channel_kernels *kernels;
    const ck_channel_arrays *arrays;
    ck_channel_block panel;
    int64_t rows;
} rows_job;

static ck_channel_block block_at(const rows_job *job, int64_t index)
{
    ck_channel_block block = job->panel;
    block.row = index * job->rows;
    block.rows = block.rows - block.row < job->rows ? block.rows - block.row : job->rows;
    return block;
}
static void sum_rows(void *context, int64_t index)
{
    const rows_job *job = context;
    ck_channel_block block = block_at(job, index);
    block.sums += index * 2 * block.stride;
    memset(block.sums, 0, (size_t)(2 * block.stride) * sizeof(double));
    job->kernels->sum(job->arrays, &block);
}
static void write_rows(void *context, int64_t index)
{
    const rows_job *job = context;
    ck_channel_block block = block_at(job, index);
    job->kernels->write(job->arrays, &block);
}

static void run_panel(void *context, int64_t index)
{
    _Alignas(64) double sums[MOST_SUMS];
    rows_job job = *(const rows_job *)context;
    ck_channel_block *panel = &job.panel;
    panel->channel = index * PANEL;
    panel->channels = job.arrays->channels - panel->channel;
    if (panel->channels > PANEL) panel->channels = PANEL;
    panel->rows = job.arrays->batch;
    panel->sums = sums;
    panel->stride = (panel->channels + 15) / 16 * 16;
    int64_t most = MOST_SUMS / (2 * panel->stride), least = (panel->rows + most - 1) / most;
    job.rows = 1 + (BLOCK - 1) / panel->channels;
    if (job.rows < least) job.rows = least;
    panel->blocks = (panel->rows + job.rows - 1) / job.rows;
    __typeof__(&ck_parallel) parallel = panel->rows * panel->channels <= SMALL ? ck_parallel_awake : ck_parallel;
    parallel(panel->blocks, sum_rows, &job);
    job.kernels->finish(job.arrays, panel);
    parallel(panel->blocks, write_rows, &job);
}

// MARK: Either

static void run(const ck_channel_kernels *kernels, const ck_channel_arrays *arrays)
{
    if (arrays->channels == 0 || arrays->batch == 0 || arrays->places == 0) return;
    if (arrays->places > 1) {
        run_runs(kernels->runs, arrays);
    } else {
        rows_job job = {.kernels = kernels, .arrays = arrays};
        ck_parallel((arrays->channels + PANEL - 1) / PANEL, run_panel, &job);
    }
}
static void norm(int is_double, const ck_channel_arrays *arrays) { run(&current()->norm[is_double], arrays); }
static void norm_grad(int is_double, const ck_channel_arrays *arrays) { run(&current()->norm_grad[is_double], arrays); }

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
