/// What recurrent networks need of one instruction set.
#ifndef CK_RECURRENT_KERNELS_H
#define CK_RECURRENT_KERNELS_H

#include <stdint.h>

#include "isa_tables.h"

/// One time step, forward or backward, of a `ck_recurrence`; pointers are to the first row of the step, but for `table`. `packed` are the
/// weights as pack put them.
typedef struct ck_recurrent_step {
    int64_t batch, hidden;
    const void *packed;
    const void *table;
    const int64_t *places;
    const void *bias, *state_bias;
    void *gates, *cells, *outputs;
    const void *output_before, *cell_before;        // of the step before
    const void *output_grads, *cells_grads;
    void *gate_grads, *input_grads, *before_grad;
    const void *next_grads;                         // gate_grads of the step after, null at the last
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

#endif
