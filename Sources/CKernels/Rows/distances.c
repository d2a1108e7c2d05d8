#include "ck_pool.h"
#include "distances_kernels.h"

typedef struct distances_run {
    const ck_distances_kernels *kernels;
    distances_job job;
    int64_t row_blocks, panels;
    int is_double;
} distances_run;

static void run_block(void *context, int64_t block)
{
    const distances_run *run = context;
    int64_t item = block / run->panels / run->row_blocks, row = block / run->panels % run->row_blocks * DISTANCE_ROWS;
    int64_t column = block % run->panels * run->kernels->panel;
    if (run->job.p.paired && column + run->kernels->panel <= row + 1) return;
    run->kernels->block[run->is_double](&run->job, item, row, column);
}

static void distances(int is_double, distances_job job)
{
    distances_run run = {.kernels = CK_CURRENT_TABLE(ck_distances), .job = job, .is_double = is_double};
    run.row_blocks = (job.p.rows + DISTANCE_ROWS - 1) / DISTANCE_ROWS;
    run.panels = (job.p.columns + run.kernels->panel - 1) / run.kernels->panel;
    int64_t blocks = job.p.batch * run.row_blocks * run.panels;
    if (blocks == 1) run_block(&run, 0);
    else if (blocks > 1) ck_parallel(blocks, run_block, &run);
}

void ck_distances_f32(const ck_distances *p, float *y, const float *a, const float *b)
{
    distances(0, (distances_job){.p = *p, .y = y, .a = a, .b = b});
}

void ck_distances_f64(const ck_distances *p, double *y, const double *a, const double *b)
{
    distances(1, (distances_job){.p = *p, .y = y, .a = a, .b = b});
}
