/// The reductions for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name. Partial results
/// are doubles whatever the elements are.
#include "reduce_kernels.h"
#include "vector_math.h"

/// A vector of elements as doubles: two vectors of them for floats.
typedef struct doubles_f32 { f64v part[2]; } doubles_f32;
typedef struct doubles_f64 { f64v part[1]; } doubles_f64;
CK_INLINE doubles_f32 widen_f32(f32v x) { return (doubles_f32){{low_f64(x), high_f64(x)}}; }
CK_INLINE doubles_f64 widen_f64(f64v x) { return (doubles_f64){{x}}; }

#define PLUS(a, b) ((a) + (b))
#define TIMES(a, b) ((a) * (b))
#define ITSELF(x, center) (x)
#define SQUARE(x, center) ((x) * (x))
#define NUMBER(x, center) ((x) == (x) ? (x) : (f64v)0)
#define DEVIATION(x, center) (((x) - (center)) * ((x) - (center)))

#define BODY "reduce_body.h"
#include "both_reals.h"

#define KERNELS_OF(prefix, type)                                                                 \
    {                                                                                            \
        [CK_SUM] = prefix##_sum##type, [CK_SUM_SQUARES] = prefix##_sum_squares##type,            \
        [CK_SUM_NUMBERS] = prefix##_sum_numbers##type,                                           \
        [CK_PROD] = prefix##_product##type, [CK_MAX] = prefix##_maximum##type,                   \
        [CK_MIN] = prefix##_minimum##type, [CK_SQUARED_DEVIATIONS] = prefix##_deviations##type,  \
    }

const ck_reduce_kernels KERNELS = {
    .leaf = {KERNELS_OF(leaf, _f32), KERNELS_OF(leaf, _f64)},
    .fold = {KERNELS_OF(fold, _f32), KERNELS_OF(fold, _f64)},
    .arg_fold = {{arg_maximum_f32, arg_minimum_f32}, {arg_maximum_f64, arg_minimum_f64}},
};
