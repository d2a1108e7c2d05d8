#ifndef CK_RECURRENT_H
#define CK_RECURRENT_H

#include <stddef.h>
#include <stdint.h>

/// An LSTM or a GRU over `steps` time steps of `batch` sequences with `hidden` units and G gates each: i, f, g, o of the LSTM; r, z, n of the
/// GRU. All arrays are row-major, of float or double; (rows, ...) has a row for each sequence of each time step, those of one step together.
typedef struct ck_recurrence {
    int64_t steps, batch, hidden;
    int reversed;   // runs from the last step to the first
    int is_double;
    /// `weight` is (G * hidden, hidden), the states before are (batch, hidden). Of the GRU `cells` are what its state gives to n, before r,
    /// and there is no cell before.
    const void *weight, *output_before, *cell_before;
    /// `gates` (rows, G * hidden), `cells` and `outputs` (rows, hidden) are written on the way forward and read on the way back, where the LSTM needs
    /// no outputs.
    void *gates, *cells, *outputs;

    /// Forward: the gates come with what the inputs give, or that of row i is row places[i] of `table`. The biases have G * hidden
    /// elements or are null; the LSTM has no bias of the state.
    const void *table;
    const int64_t *places;
    const void *bias, *state_bias;

    /// Backward: from the gradients of the outputs and, of the LSTM, of the cells, both of which may be null there, those of what entered the gates
    /// (rows, G * hidden). Of the GRU `input_grads` are those of what the inputs gave and `gate_grads` those of what the states gave.
    /// `before_grad` (batch, hidden) comes with zeros and leaves as the gradient of the cell before, of the GRU as that of the output before but
    /// for what goes through the weights.
    const void *output_grads, *cells_grads;
    void *gate_grads, *input_grads, *before_grad;

    void *workspace;  // 64-byte aligned
} ck_recurrence;

/// Bytes of workspace for either direction.
size_t ck_lstm_workspace(const ck_recurrence *p);
size_t ck_gru_workspace(const ck_recurrence *p);

void ck_lstm(const ck_recurrence *p);
void ck_lstm_grad(const ck_recurrence *p);
void ck_gru(const ck_recurrence *p);
void ck_gru_grad(const ck_recurrence *p);

#endif
