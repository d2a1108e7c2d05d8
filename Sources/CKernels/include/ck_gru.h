#ifndef CK_GRU_H
#define CK_GRU_H

#include <stddef.h>
#include <stdint.h>

/// A GRU over `steps` time steps of `batch` sequences with `hidden` units. All arrays are row-major; the rows of one time step
/// follow each other. `reversed` runs from the last step to the first.
typedef struct ck_gru {
    int64_t steps, batch, hidden;
    int reversed;
} ck_gru;

/// Bytes of workspace (64-byte aligned by the caller) for either direction.
size_t ck_gru_workspace_f32(const ck_gru *p);
size_t ck_gru_workspace_f64(const ck_gru *p);

/// `gates` (steps * batch, 3 * hidden) comes with what the inputs give and leaves as the gates r, z, n; `candidates` (what the state gives
/// to n, before r) and `outputs` (steps * batch, hidden) are written. `weight` is (3 * hidden, hidden), the biases have 3 * hidden elements
/// or are null, the output before is (batch, hidden).
void ck_gru_f32(const ck_gru *p, float *gates, float *candidates, float *outputs, const float *weight, const float *bias,
                const float *state_bias, const float *output_before, void *workspace);
void ck_gru_f64(const ck_gru *p, double *gates, double *candidates, double *outputs, const double *weight, const double *bias,
                const double *state_bias, const double *output_before, void *workspace);

/// The gradients of what entered the gates from the inputs and from the states (steps * batch, 3 * hidden), from those of the outputs.
/// `before_grad` (batch, hidden) comes with zeros and leaves as the gradient of the output before, but for what goes through the weights.
void ck_gru_grad_f32(const ck_gru *p, float *input_grads, float *state_grads, float *before_grad, const float *gates,
                     const float *candidates, const float *outputs, const float *output_before, const float *weight,
                     const float *output_grads, void *workspace);
void ck_gru_grad_f64(const ck_gru *p, double *input_grads, double *state_grads, double *before_grad, const double *gates,
                     const double *candidates, const double *outputs, const double *output_before, const double *weight,
                     const double *output_grads, void *workspace);

#endif
