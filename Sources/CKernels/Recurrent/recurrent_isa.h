/// Recurrent networks for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "recurrent_kernels.h"
#include "transpose_square.h"
#include "vector_math_f32.h"

// Rows of a tile: with AVX-512 (and NEON) there are 32 registers, else 16.
#if CK_VECTOR_BYTES == 64 || defined(__aarch64__)
#define ROWS 12
#else
#define ROWS 6
#endif

#define BODY "recurrent_body.h"
#include "both_reals.h"

#define PASS(units, pack, step) {{units * CK_F32_LANES, pack##_f32, step##_f32}, {units * CK_F64_LANES, pack##_f64, step##_f64}}

const ck_recurrent_kernels KERNELS = {
    .lstm_forward = PASS(1, pack_gates, lstm_forward),
    .lstm_backward = PASS(2, pack_units, lstm_backward),
    .gru_forward = PASS(2, pack_gates, gru_forward),
    .gru_backward = PASS(2, pack_units, gru_backward),
};
