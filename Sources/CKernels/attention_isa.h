/// Attention for one instruction set: included with what vector_math.h asks for, KERNELS, the table's name, and PRODUCT(type), that of
/// the matrix product.
#include "attention_kernels.h"
#include "vector_math_f32.h"

#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define LANES CK_F32_LANES
#define PARTS 2
#define WIDEN(x, h) ((h) ? high_f64(x) : low_f64(x))
#include "attention_body.h"
#undef T
#undef REAL
#undef VECTOR
#undef LANES
#undef PARTS
#undef WIDEN

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define LANES CK_F64_LANES
#define PARTS 1
#define WIDEN(x, h) (x)
#include "attention_body.h"

const ck_attention_kernels KERNELS = {
    .product = {&PRODUCT(f32), &PRODUCT(f64)},
    .forward = {attention_f32, attention_f64},
    .backward = {attention_grad_f32, attention_grad_f64},
    .add_parts = {add_parts_f32, add_parts_f64},
};
