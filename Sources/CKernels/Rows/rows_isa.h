/// The row operations for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name. Sums along
/// a row are kept in double.
#include "rows_kernels.h"
#include "vector_math_f32.h"

#define BODY "rows_body.h"
#include "both_reals.h"

const ck_rows_kernels KERNELS = {
    .softmax = {{softmax_f32, log_softmax_f32}, {softmax_f64, log_softmax_f64}},
    .softmax_grad = {{softmax_grad_f32, log_softmax_grad_f32}, {softmax_grad_f64, log_softmax_grad_f64}},
    .layer_norm = {layer_norm_f32, layer_norm_f64},
    .layer_norm_grad = {layer_norm_grad_f32, layer_norm_grad_f64},
};
