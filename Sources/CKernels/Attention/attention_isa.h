/// Attention for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name, and PRODUCT(type),
/// that of the matrix product.
#include "attention_kernels.h"
#include "vector_math_f32.h"

#define BODY "attention_body.h"
#include "both_reals.h"

const ck_attention_kernels KERNELS = {
    .product = {&PRODUCT(f32), &PRODUCT(f64)},
    .forward = {attention_f32, attention_f64},
    .backward = {attention_grad_f32, attention_grad_f64},
    .add_parts = {add_parts_f32, add_parts_f64},
};
