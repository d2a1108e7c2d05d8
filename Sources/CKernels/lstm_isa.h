/// The LSTM for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "lstm_kernels.h"
#include "transpose_square.h"
#include "vector_math_f32.h"

// Rows of a tile: with AVX-512 (and NEON) there are 32 registers, else 16.
#if CK_VECTOR_BYTES == 64 || defined(__aarch64__)
#define ROWS 12
#else
#define ROWS 6
#endif

#define BODY "lstm_body.h"
#include "both_reals.h"

const ck_lstm_kernels KERNELS = {
    .forward = {{CK_F32_LANES, pack_gates_f32, forward_f32}, {CK_F64_LANES, pack_gates_f64, forward_f64}},
    .backward = {{2 * CK_F32_LANES, pack_units_f32, backward_f32}, {2 * CK_F64_LANES, pack_units_f64, backward_f64}},
};
