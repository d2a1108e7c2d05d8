#include "optimizers_kernels.h"

#include <math.h>

#include "ck_pool.h"

// Parameters that take some tens of microseconds.
#define BLOCK 32768

static const ck_optimizers_kernels *current(void) { return CK_CURRENT_TABLE(ck_optimizers); }

typedef struct step_job {
    void (*sgd)(int64_t first, int64_t end, const ck_sgd_step *step);
    void (*adam)(int64_t first, int64_t end, const ck_adam_step *step);
    const void *step;
    int64_t count;
} step_job;

static void run_block(void *context, int64_t block)
{
    const step_job *job = context;
    int64_t first = block * BLOCK, end = job->count - first < BLOCK ? job->count : first + BLOCK;
    if (job->sgd) job->sgd(first, end, job->step);
    else job->adam(first, end, job->step);
}

static void run(step_job job)
{
    if (job.count == 0) return;
    if (job.count <= BLOCK) run_block(&job, 0);
    else ck_parallel((job.count + BLOCK - 1) / BLOCK, run_block, &job);
}

void ck_sgd_f32(const ck_sgd *config, int64_t count, float *parameter, const float *gradient, float *buffer)
{
    ck_sgd_step step = {.config = config, .parameter = parameter, .buffer = buffer, .gradient = gradient};
    run((step_job){.sgd = current()->sgd[0], .step = &step, .count = count});
}
void ck_sgd_f64(const ck_sgd *config, int64_t count, double *parameter, const double *gradient, double *buffer)
{
    ck_sgd_step step = {.config = config, .parameter = parameter, .buffer = buffer, .gradient = gradient};
    run((step_job){.sgd = current()->sgd[1], .step = &step, .count = count});
}

static void run_adam(int is_double, ck_adam_step step, int64_t count)
{
    const ck_adam *config = step.config;
    step.step_size = config->learning_rate / (1 - pow(config->beta1, (double)config->step));
    step.second_correction = sqrt(1 - pow(config->beta2, (double)config->step));
    run((step_job){.adam = current()->adam[is_double], .step = &step, .count = count});
}
void ck_adam_f32(const ck_adam *config, int64_t count, float *parameter, const float *gradient, float *m, float *v,
                 float *maximum)
{
    run_adam(0, (ck_adam_step){.config = config, .parameter = parameter, .gradient = gradient, .m = m, .v = v,
                               .maximum = maximum}, count);
}
void ck_adam_f64(const ck_adam *config, int64_t count, double *parameter, const double *gradient, double *m, double *v,
                 double *maximum)
{
    run_adam(1, (ck_adam_step){.config = config, .parameter = parameter, .gradient = gradient, .m = m, .v = v,
                               .maximum = maximum}, count);
}
