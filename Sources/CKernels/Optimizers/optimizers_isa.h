/// The optimisers for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "optimizers_kernels.h"
#include "vector_math.h"

#define BODY "optimizers_body.h"
#include "both_reals.h"

const ck_optimizers_kernels KERNELS = {
    .sgd = {sgd_f32, sgd_f64},
    .adam = {adam_f32, adam_f64},
};
