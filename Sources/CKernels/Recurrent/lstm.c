#include "ck_lstm.h"

#include "recurrent_kernels.h"

static const ck_recurrent_kernels *current(void) { return CK_CURRENT_TABLE(ck_recurrent); }

size_t ck_lstm_workspace_f32(const ck_lstm *p) { return ck_recurrent_workspace(p->hidden, 4, sizeof(float)); }
size_t ck_lstm_workspace_f64(const ck_lstm *p) { return ck_recurrent_workspace(p->hidden, 4, sizeof(double)); }

static void forward(const ck_lstm *p, int type, size_t size, void *gates, void *cells, void *outputs,
                    const void *weight, const void *bias, const void *output_before, const void *cell_before,
                    void *packed)
{
    const ck_recurrent_pass *pass = &current()->lstm_forward[type];
    ck_recurrent_pack(pass, p->hidden, 4, weight, packed);
    ck_recurrent_step step = {.batch = p->batch, .hidden = p->hidden, .packed = packed};
    step.bias = bias;
    step.output_before = output_before;
    step.cell_before = cell_before;
    for (int64_t done = 0; done < p->steps; done++) {
        int64_t row = (p->reversed ? p->steps - 1 - done : done) * p->batch;
        step.gates = ck_recurrent_at(gates, row, 4 * p->hidden, size);
        step.cells = ck_recurrent_at(cells, row, p->hidden, size);
        step.outputs = ck_recurrent_at(outputs, row, p->hidden, size);
        ck_recurrent_run_step(pass, &step);
        step.output_before = step.outputs;
        step.cell_before = step.cells;
    }
}

static void backward(const ck_lstm *p, int type, size_t size, void *gate_grads, void *cell_grad, const void *gates,
                     const void *cells, const void *cell_before, const void *weight, const void *output_grads,
                     const void *cells_grads, void *packed)
{
    const ck_recurrent_pass *pass = &current()->lstm_backward[type];
    ck_recurrent_pack(pass, p->hidden, 4, weight, packed);
    ck_recurrent_step step = {.batch = p->batch, .hidden = p->hidden, .packed = packed};
    step.cell_grad = cell_grad;
    for (int64_t left = p->steps - 1; left >= 0; left--) {
        int64_t time = p->reversed ? p->steps - 1 - left : left, before = p->reversed ? time + 1 : time - 1;
        step.gates = ck_recurrent_at(gates, time * p->batch, 4 * p->hidden, size);
        step.cells = ck_recurrent_at(cells, time * p->batch, p->hidden, size);
        step.cell_before = left == 0 ? cell_before : ck_recurrent_at(cells, before * p->batch, p->hidden, size);
        step.output_grads = ck_recurrent_at(output_grads, time * p->batch, p->hidden, size);
        step.cells_grads = ck_recurrent_at(cells_grads, time * p->batch, p->hidden, size);
        step.gate_grads = ck_recurrent_at(gate_grads, time * p->batch, 4 * p->hidden, size);
        ck_recurrent_run_step(pass, &step);
        step.next_grads = step.gate_grads;
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
