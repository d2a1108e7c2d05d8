#ifndef CK_LSTM_H
#define CK_LSTM_H

#include <stddef.h>
#include <stdint.h>

/// An LSTM over `steps` time steps of `batch` sequences with `hidden` units. All arrays are row-major; the rows of one time step
/// follow each other. `reversed` runs from the last step to the first.
typedef struct ck_lstm {
    int64_t steps, batch, hidden;
    int reversed;
} ck_lstm;

/// Bytes of workspace (64-byte aligned by the caller) for either direction.
size_t ck_lstm_workspace_f32(const ck_lstm *p);
size_t ck_lstm_workspace_f64(const ck_lstm *p);

/// `gates` (steps * batch, 4 * hidden) comes with what the inputs give and leaves as the gates i, f, g, o; `cells` and `outputs`
/// (steps * batch, hidden) are written. `weight` is (4 * hidden, hidden), `bias` has 4 * hidden elements or is null,
/// the state before is (batch, hidden).
void ck_lstm_f32(const ck_lstm *p, float *gates, float *cells, float *outputs, const float *weight, const float *bias,
                 const float *output_before, const float *cell_before, void *workspace);
void ck_lstm_f64(const ck_lstm *p, double *gates, double *cells, double *outputs, const double *weight, const double *bias,
                 const double *output_before, const double *cell_before, void *workspace);

/// The gradient of what entered the gates, `gate_grads` (steps * batch, 4 * hidden), from those of the outputs and of the cells, which may
/// be null. `cell_grad` (batch, hidden) comes with zeros and leaves as the gradient of the cell before.
void ck_lstm_grad_f32(const ck_lstm *p, float *gate_grads, float *cell_grad, const float *gates, const float *cells,
                      const float *cell_before, const float *weight, const float *output_grads,
                      const float *cells_grads, void *workspace);
void ck_lstm_grad_f64(const ck_lstm *p, double *gate_grads, double *cell_grad, const double *gates,
                      const double *cells, const double *cell_before, const double *weight,
                      const double *output_grads, const double *cells_grads, void *workspace);

#endif
