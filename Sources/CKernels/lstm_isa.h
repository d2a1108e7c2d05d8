/// The LSTM for one instruction set: included with what vector_math.h asks for and with KERNELS, the table's name.
#include "lstm_kernels.h"
#include "transpose_square.h"
#include "vector_math_f32.h"

// Rows of a tile: with AVX-512 (and NEON) there are 32 registers, else 16.
#if CK_VECTOR_BYTES == 64 || defined(__aarch64__)
#define ROWS 12
#else
#define ROWS 6
#endif

#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define LANES CK_F32_LANES
#include "lstm_body.h"
#undef T
#undef REAL
#undef VECTOR
#undef LANES

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define LANES CK_F64_LANES
#include "lstm_body.h"

const ck_lstm_kernels KERNELS = {
    .forward = {{CK_F32_LANES, pack_gates_f32, forward_f32}, {CK_F64_LANES, pack_gates_f64, forward_f64}},
    .backward = {{2 * CK_F32_LANES, pack_units_f32, backward_f32}, {2 * CK_F64_LANES, pack_units_f64, backward_f64}},
};
