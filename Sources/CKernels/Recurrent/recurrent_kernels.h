/// What recurrent networks need of one instruction set.
#ifndef CK_RECURRENT_KERNELS_H
#define CK_RECURRENT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "isa_tables.h"

/// One time step, forward or backward; pointers are to the first row of the step. `packed` are the weights as pack put them.
/// Of the GRU `cells` are what its state gives the third gate, and `cell_grad` is what the step after hands on of its output's gradient.
typedef struct ck_recurrent_step {
    int64_t batch, hidden;
    const void *packed;
    const void *bias, *state_bias;                  // forward; may be null
    void *gates, *cells, *outputs;                  // forward writes; backward only reads gates and cells
    const void *output_before, *cell_before;
    void *gate_grads, *cell_grad;                   // backward
    void *input_grads;                              // the GRU's, whose third gate sees input and state differently
    const void *next_grads;                         // gate_grads of the step after, null at the last
    const void *output_grads, *cells_grads;         // may be null for the LSTM
} ck_recurrent_step;

typedef struct ck_recurrent_packing {
    int64_t hidden, gates, units;
    const void *weight;
    void *packed;
} ck_recurrent_packing;

/// The units of a block go together through all rows.
typedef struct ck_recurrent_pass {
    int64_t units;  // in a block
    void (*pack)(const ck_recurrent_packing *packing, int64_t block);
    void (*step)(const ck_recurrent_step *step, int64_t block);
} ck_recurrent_pass;

/// Index 0 is float, 1 double.
typedef struct ck_recurrent_kernels {
    ck_recurrent_pass lstm_forward[2], lstm_backward[2], gru_forward[2], gru_backward[2];
} ck_recurrent_kernels;

CK_DECLARE_TABLES(ck_recurrent_kernels, ck_recurrent);

/// Bytes for packed weights of any instruction set.
size_t ck_recurrent_workspace(int64_t hidden, int64_t gates, size_t element);
void ck_recurrent_pack(const ck_recurrent_pass *pass, int64_t hidden, int64_t gates, const void *weight, void *packed);
void ck_recurrent_run_step(const ck_recurrent_pass *pass, const ck_recurrent_step *step);

/// Row `row` of an array with `width` elements of `size` bytes in a row.
static inline void *ck_recurrent_at(const void *array, int64_t row, int64_t width, size_t size)
{
    return array ? (char *)array + (size_t)(row * width) * size : 0;
}

#endif
