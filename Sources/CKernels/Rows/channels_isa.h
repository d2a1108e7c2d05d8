/// The operations on channels for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "channels_kernels.h"
#include "vector_math_f32.h"

#define BODY "channels_body.h"
#include "both_reals.h"

const ck_channels_kernels KERNELS = {
    .norm = {{norm_runs_f32, norm_sum_f32, norm_finish_f32, norm_write_f32},
             {norm_runs_f64, norm_sum_f64, norm_finish_f64, norm_write_f64}},
    .norm_grad = {{norm_grad_runs_f32, grad_sum_f32, grad_finish_f32, grad_write_f32},
                  {norm_grad_runs_f64, grad_sum_f64, grad_finish_f64, grad_write_f64}},
};
