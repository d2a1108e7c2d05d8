/// What the LSTM needs of one instruction set. Index 0 is float, 1 double.
#ifndef CK_LSTM_KERNELS_H
#define CK_LSTM_KERNELS_H

#include "ck_lstm.h"
#include "isa_tables.h"

/// One time step, forward or backward; pointers are to the first row of the step. `packed` are the weights as pack put them.
typedef struct ck_lstm_step {
    int64_t batch, hidden;
    const void *packed;
    const void *bias;                               // forward; may be null
    void *gates, *cells, *outputs;                  // forward writes; backward only reads gates and cells
    const void *output_before, *cell_before;
    void *gate_grads, *cell_grad;                   // backward
    const void *next_grads;                         // gate_grads of the step after, null at the last
    const void *output_grads, *cells_grads;         // may be null
} ck_lstm_step;

typedef struct ck_lstm_packing {
    int64_t hidden;
    const void *weight;
    void *packed;
} ck_lstm_packing;

/// The units of a block go together through all rows.
typedef struct ck_lstm_pass {
    int64_t units;  // in a block
    void (*pack)(const ck_lstm_packing *packing, int64_t block);
    void (*step)(const ck_lstm_step *step, int64_t block);
} ck_lstm_pass;

typedef struct ck_lstm_kernels {
    ck_lstm_pass forward[2], backward[2];
} ck_lstm_kernels;

CK_DECLARE_TABLES(ck_lstm_kernels, ck_lstm);

#endif
