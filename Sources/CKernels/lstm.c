#include "lstm_kernels.h"

#include "ck_pool.h"

static const ck_lstm_kernels *current(void) { return CK_CURRENT_TABLE(ck_lstm); }

// The widest block of any instruction set rounds the units up.
static size_t workspace(const ck_lstm *p, size_t element)
{
    int64_t widest = 128 / (int64_t)element;
    return (size_t)((p->hidden + widest - 1) / widest * widest * 4 * p->hidden) * element;
}
size_t ck_lstm_workspace_f32(const ck_lstm *p) { return workspace(p, sizeof(float)); }
size_t ck_lstm_workspace_f64(const ck_lstm *p) { return workspace(p, sizeof(double)); }

typedef struct step_job {
    const ck_lstm_pass *pass;
    ck_lstm_step step;
} step_job;

typedef struct packing_job {
    const ck_lstm_pass *pass;
    ck_lstm_packing packing;
} packing_job;

static void run_step(void *context, int64_t block)
{
    const step_job *job = context;
    job->pass->step(&job->step, block);
}

static void run_packing(void *context, int64_t block)
{
    const packing_job *job = context;
    job->pass->pack(&job->packing, block);
}

static int64_t block_count(const ck_lstm *p, const ck_lstm_pass *pass)
{
    return (p->hidden + pass->units - 1) / pass->units;
}

static void pack(const ck_lstm *p, const ck_lstm_pass *pass, const void *weight, void *packed)
{
    packing_job job = {.pass = pass, .packing = {.hidden = p->hidden, .weight = weight, .packed = packed}};
    ck_parallel(block_count(p, pass), run_packing, &job);
}

/// Row `row` of an array with `width` elements of `size` bytes in a row.
static void *at(const void *array, int64_t row, int64_t width, size_t size)
{
    return array ? (char *)array + (size_t)(row * width) * size : 0;
}

static void forward(const ck_lstm *p, int type, size_t size, void *gates, void *cells, void *outputs,
                    const void *weight, const void *bias, const void *output_before, const void *cell_before,
                    void *packed)
{
    const ck_lstm_pass *pass = &current()->forward[type];
    pack(p, pass, weight, packed);
    step_job job = {.pass = pass, .step = {.batch = p->batch, .hidden = p->hidden, .packed = packed}};
    job.step.bias = bias;
    job.step.output_before = output_before;
    job.step.cell_before = cell_before;
    for (int64_t done = 0; done < p->steps; done++) {
        int64_t row = (p->reversed ? p->steps - 1 - done : done) * p->batch;
        job.step.gates = at(gates, row, 4 * p->hidden, size);
        job.step.cells = at(cells, row, p->hidden, size);
        job.step.outputs = at(outputs, row, p->hidden, size);
        ck_parallel(block_count(p, pass), run_step, &job);
        job.step.output_before = job.step.outputs;
        job.step.cell_before = job.step.cells;
    }
}

static void backward(const ck_lstm *p, int type, size_t size, void *gate_grads, void *cell_grad, const void *gates,
                     const void *cells, const void *cell_before, const void *weight, const void *output_grads,
                     const void *cells_grads, void *packed)
{
    const ck_lstm_pass *pass = &current()->backward[type];
    pack(p, pass, weight, packed);
    step_job job = {.pass = pass, .step = {.batch = p->batch, .hidden = p->hidden, .packed = packed}};
    job.step.cell_grad = cell_grad;
    for (int64_t left = p->steps - 1; left >= 0; left--) {
        int64_t step = p->reversed ? p->steps - 1 - left : left, before = p->reversed ? step + 1 : step - 1;
        job.step.gates = at(gates, step * p->batch, 4 * p->hidden, size);
        job.step.cells = at(cells, step * p->batch, p->hidden, size);
        job.step.cell_before = left == 0 ? cell_before : at(cells, before * p->batch, p->hidden, size);
        job.step.output_grads = at(output_grads, step * p->batch, p->hidden, size);
        job.step.cells_grads = at(cells_grads, step * p->batch, p->hidden, size);
        job.step.gate_grads = at(gate_grads, step * p->batch, 4 * p->hidden, size);
        ck_parallel(block_count(p, pass), run_step, &job);
        job.step.next_grads = job.step.gate_grads;
    }
}

void ck_lstm_f32(const ck_lstm *p, float *gates, float *cells, float *outputs, const float *weight, const float *bias,
                 const float *output_before, const float *cell_before, void *workspace)
{
    forward(p, 0, sizeof(float), gates, cells, outputs, weight, bias, output_before, cell_before, workspace);
}
void ck_lstm_f64(const ck_lstm *p, double *gates, double *cells, double *outputs, const double *weight, const double *bias,
                 const double *output_before, const double *cell_before, void *workspace)
{
    forward(p, 1, sizeof(double), gates, cells, outputs, weight, bias, output_before, cell_before, workspace);
}
void ck_lstm_grad_f32(const ck_lstm *p, float *gate_grads, float *cell_grad, const float *gates, const float *cells,
                      const float *cell_before, const float *weight, const float *output_grads,
                      const float *cells_grads, void *workspace)
{
    backward(p, 0, sizeof(float), gate_grads, cell_grad, gates, cells, cell_before, weight, output_grads, cells_grads,
             workspace);
}
void ck_lstm_grad_f64(const ck_lstm *p, double *gate_grads, double *cell_grad, const double *gates,
                      const double *cells, const double *cell_before, const double *weight,
                      const double *output_grads, const double *cells_grads, void *workspace)
{
    backward(p, 1, sizeof(double), gate_grads, cell_grad, gates, cells, cell_before, weight, output_grads,
             cells_grads, workspace);
}
