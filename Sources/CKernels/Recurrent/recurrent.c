#include "ck_pool.h"
#include "recurrent_kernels.h"

// The widest block of any instruction set rounds the units up.
size_t ck_recurrent_workspace(int64_t hidden, int64_t gates, size_t element)
{
    int64_t widest = 128 / (int64_t)element;
    return (size_t)((hidden + widest - 1) / widest * widest * gates * hidden) * element;
}

typedef struct packing_job {
    const ck_recurrent_pass *pass;
    ck_recurrent_packing packing;
} packing_job;

typedef struct step_job {
    const ck_recurrent_pass *pass;
    const ck_recurrent_step *step;
} step_job;

static void run_packing(void *context, int64_t block)
{
    const packing_job *job = context;
    job->pass->pack(&job->packing, block);
}

static void run_step(void *context, int64_t block)
{
    const step_job *job = context;
    job->pass->step(job->step, block);
}

static int64_t block_count(const ck_recurrent_pass *pass, int64_t hidden) { return (hidden + pass->units - 1) / pass->units; }

void ck_recurrent_pack(const ck_recurrent_pass *pass, int64_t hidden, int64_t gates, const void *weight, void *packed)
{
    packing_job job = {pass, {.hidden = hidden, .gates = gates, .units = pass->units, .weight = weight, .packed = packed}};
    ck_parallel(block_count(pass, hidden), run_packing, &job);
}

void ck_recurrent_run_step(const ck_recurrent_pass *pass, const ck_recurrent_step *step)
{
    step_job job = {pass, step};
    ck_parallel(block_count(pass, step->hidden), run_step, &job);
}
