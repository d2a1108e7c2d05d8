// The matmul kernels of one instruction set, for both element types. Included with ISA (its name), VECTOR_BYTES,
// MAX_ROWS and DOT_ROWS defined and, where the instruction set has masks, MASKED_LOAD_F32(from, count),
// MASKED_STORE_F32(to, x, count) and the same for F64.

#include <stdint.h>

#include "ck_elementwise.h"
#include "matmul_internal.h"

#pragma STDC FP_CONTRACT ON

#define PASTE_PLAINLY(a, b, c) a##b##c
#define PASTE(a, b, c) PASTE_PLAINLY(a, b, c)

typedef int32_t PASTE(mask_, ISA, _f32) __attribute__((vector_size(VECTOR_BYTES)));
typedef int64_t PASTE(mask_, ISA, _f64) __attribute__((vector_size(VECTOR_BYTES)));

#define DEPTH 256

#define T float
#define NAME(x) x##_f32
#define MASK PASTE(mask_, ISA, _f32)
#define KERNELS PASTE(ck_matmul_, ISA, _f32)
#define APPLY_UNARY ck_unary_f32
#define APPLY_WITH_SLOPE ck_with_slope_f32
#ifdef MASKED_LOAD_F32
#define MASKED_LOAD MASKED_LOAD_F32
#define MASKED_STORE MASKED_STORE_F32
#endif
#include "matmul_block.h"
#undef T
#undef NAME
#undef MASK
#undef KERNELS
#undef APPLY_UNARY
#undef APPLY_WITH_SLOPE
#undef MASKED_LOAD
#undef MASKED_STORE

#define T double
#define NAME(x) x##_f64
#define MASK PASTE(mask_, ISA, _f64)
#define KERNELS PASTE(ck_matmul_, ISA, _f64)
#define APPLY_UNARY ck_unary_f64
#define APPLY_WITH_SLOPE ck_with_slope_f64
#ifdef MASKED_LOAD_F64
#define MASKED_LOAD MASKED_LOAD_F64
#define MASKED_STORE MASKED_STORE_F64
#endif
#include "matmul_block.h"
