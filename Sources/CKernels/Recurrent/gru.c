#include "ck_gru.h"

#include "recurrent_kernels.h"

static const ck_recurrent_kernels *current(void) { return CK_CURRENT_TABLE(ck_recurrent); }

size_t ck_gru_workspace_f32(const ck_gru *p) { return ck_recurrent_workspace(p->hidden, 3, sizeof(float)); }
size_t ck_gru_workspace_f64(const ck_gru *p) { return ck_recurrent_workspace(p->hidden, 3, sizeof(double)); }

static void forward(const ck_gru *p, int type, size_t size, void *gates, void *candidates, void *outputs,
                    const void *weight, const void *bias, const void *state_bias, const void *output_before, void *packed)
{
    const ck_recurrent_pass *pass = &current()->gru_forward[type];
    ck_recurrent_pack(pass, p->hidden, 3, weight, packed);
    ck_recurrent_step step = {.batch = p->batch, .hidden = p->hidden, .packed = packed};
    step.bias = bias;
    step.state_bias = state_bias;
    step.output_before = output_before;
    for (int64_t done = 0; done < p->steps; done++) {
        int64_t row = (p->reversed ? p->steps - 1 - done : done) * p->batch;
        step.gates = ck_recurrent_at(gates, row, 3 * p->hidden, size);
        step.cells = ck_recurrent_at(candidates, row, p->hidden, size);
        step.outputs = ck_recurrent_at(outputs, row, p->hidden, size);
        ck_recurrent_run_step(pass, &step);
        step.output_before = step.outputs;
    }
}

static void backward(const ck_gru *p, int type, size_t size, void *input_grads, void *state_grads, void *before_grad,
                     const void *gates, const void *candidates, const void *outputs, const void *output_before,
                     const void *weight, const void *output_grads, void *packed)
{
    const ck_recurrent_pass *pass = &current()->gru_backward[type];
    ck_recurrent_pack(pass, p->hidden, 3, weight, packed);
    ck_recurrent_step step = {.batch = p->batch, .hidden = p->hidden, .packed = packed};
    step.cell_grad = before_grad;
    for (int64_t left = p->steps - 1; left >= 0; left--) {
        int64_t time = p->reversed ? p->steps - 1 - left : left, before = p->reversed ? time + 1 : time - 1;
        int64_t row = time * p->batch;
        step.gates = ck_recurrent_at(gates, row, 3 * p->hidden, size);
        step.cells = ck_recurrent_at(candidates, row, p->hidden, size);
        step.output_before = left == 0 ? output_before : ck_recurrent_at(outputs, before * p->batch, p->hidden, size);
        step.output_grads = ck_recurrent_at(output_grads, row, p->hidden, size);
        step.input_grads = ck_recurrent_at(input_grads, row, 3 * p->hidden, size);
        step.gate_grads = ck_recurrent_at(state_grads, row, 3 * p->hidden, size);
        ck_recurrent_run_step(pass, &step);
        step.next_grads = step.gate_grads;
    }
}

void ck_gru_f32(const ck_gru *p, float *gates, float *candidates, float *outputs, const float *weight, const float *bias,
                const float *state_bias, const float *output_before, void *workspace)
{
    forward(p, 0, sizeof(float), gates, candidates, outputs, weight, bias, state_bias, output_before, workspace);
}
void ck_gru_grad_f32(const ck_gru *p, float *input_grads, float *state_grads, float *before_grad, const float *gates,
                     const float *candidates, const float *outputs, const float *output_before, const float *weight,
                     const float *output_grads, void *workspace)
{
    backward(p, 0, sizeof(float), input_grads, state_grads, before_grad, gates, candidates, outputs, output_before, weight,
             output_grads, workspace);
}

void ck_gru_f64(const ck_gru *p, double *gates, double *candidates, double *outputs, const double *weight, const double *bias,
                const double *state_bias, const double *output_before, void *workspace)
{
    forward(p, 1, sizeof(double), gates, candidates, outputs, weight, bias, state_bias, output_before, workspace);
}
void ck_gru_grad_f64(const ck_gru *p, double *input_grads, double *state_grads, double *before_grad, const double *gates,
                     const double *candidates, const double *outputs, const double *output_before, const double *weight,
                     const double *output_grads, void *workspace)
{
    backward(p, 1, sizeof(double), input_grads, state_grads, before_grad, gates, candidates, outputs, output_before, weight,
             output_grads, workspace);
}
