/// The row operations for one instruction set: included with what vector_math.h asks for and with KERNELS, the
/// table's name. Sums along a row are kept in double.
#include "rows_kernels.h"
#include "vector_math_f32.h"

#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define LANES CK_F32_LANES
#define PARTS 2
#define WIDEN(x, h) ((h) ? high_f64(x) : low_f64(x))
#define NARROW(parts) narrow_f32(parts[0], parts[1])
#include "rows_body.h"
#undef T
#undef REAL
#undef VECTOR
#undef LANES
#undef PARTS
#undef WIDEN
#undef NARROW

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define LANES CK_F64_LANES
#define PARTS 1
#define WIDEN(x, h) (x)
#define NARROW(parts) (parts[0])
#include "rows_body.h"

const ck_rows_kernels KERNELS = {
    .softmax = {{softmax_f32, log_softmax_f32}, {softmax_f64, log_softmax_f64}},
    .softmax_grad = {{softmax_grad_f32, log_softmax_grad_f32}, {softmax_grad_f64, log_softmax_grad_f64}},
    .layer_norm = {layer_norm_f32, layer_norm_f64},
    .layer_norm_grad = {layer_norm_grad_f32, layer_norm_grad_f64},
};
