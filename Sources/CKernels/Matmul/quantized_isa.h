/// Linear layers with weights of fewer bits for one instruction set: included by isa_baseline.h and its kin with KERNELS, the
/// table's name.
#include "quantized_kernels.h"
#include "vector_math.h"

#define UNROLL _Pragma("clang loop unroll(full)")
// Vectors in flight for each row of a weight: one alone would wait for its own sum.
#define CHAINS 2

typedef float four_v __attribute__((ext_vector_type(4)));
typedef int8_t bytes_v __attribute__((ext_vector_type(CK_F32_LANES)));
typedef uint16_t halves_v __attribute__((ext_vector_type(CK_F32_LANES)));

CK_INLINE f32v floats_of_int8(const int8_t *p)
{
    bytes_v values;
    memcpy(&values, p, sizeof values);
    return __builtin_convertvector(values, f32v);
}
CK_INLINE f32v floats_of_bfloat16(const uint16_t *p)
{
    halves_v values;
    memcpy(&values, p, sizeof values);
    return AS(f32v, __builtin_convertvector(values, u32v) << 16);
}

/// What the lanes add up to by halves.
CK_INLINE four_v four_lanes(f32v x)
{
#if CK_VECTOR_BYTES == 64
    const __typeof__(x.lo) half = x.lo + x.hi;
    return half.lo + half.hi;
#elif CK_VECTOR_BYTES == 32
    return x.lo + x.hi;
#else
    return x;
#endif
}
/// One number of each vector.
CK_INLINE four_v sums_of_lanes(f32v a, f32v b, f32v c, f32v d)
{
    const four_v w = four_lanes(a), x = four_lanes(b), y = four_lanes(c), z = four_lanes(d);
    const four_v low = __builtin_shufflevector(w, x, 0, 4, 2, 6) + __builtin_shufflevector(w, x, 1, 5, 3, 7);
    const four_v high = __builtin_shufflevector(y, z, 0, 4, 2, 6) + __builtin_shufflevector(y, z, 1, 5, 3, 7);
    return __builtin_shufflevector(low, high, 0, 1, 4, 5) + __builtin_shufflevector(low, high, 2, 3, 6, 7);
}

#define Q(name) name##_int8
#define WEIGHT int8_t
#define AS_FLOATS floats_of_int8
#include "quantized_body.h"
#undef Q
#undef WEIGHT
#undef AS_FLOATS

#define Q(name) name##_bfloat16
#define WEIGHT uint16_t
#define AS_FLOATS floats_of_bfloat16
#include "quantized_body.h"

const ck_quantized_kernels KERNELS = {.int8 = linear_int8, .bfloat16 = linear_bfloat16};
