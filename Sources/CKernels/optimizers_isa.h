/// The optimisers for one instruction set: included with what vector_math.h asks for and with KERNELS, the table's
/// name.
#include "optimizers_kernels.h"
#include "vector_math.h"

#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define LANES CK_F32_LANES
#include "optimizers_body.h"
#undef T
#undef REAL
#undef VECTOR
#undef LANES

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define LANES CK_F64_LANES
#include "optimizers_body.h"

const ck_optimizers_kernels KERNELS = {
    .sgd = {sgd_f32, sgd_f64},
    .adam = {adam_f32, adam_f64},
};
