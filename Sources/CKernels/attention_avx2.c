#if defined(__x86_64__)
#include "vector_math_avx2.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "attention_kernels.h"

#define KERNELS ck_attention_avx2
#define PRODUCT(type) ck_matmul_avx2_##type
#pragma clang attribute push(__attribute__((target(CK_TARGET))), apply_to = function)
#include "attention_isa.h"
#pragma clang attribute pop
#else
// Nothing to compile: the baseline serves.
typedef int ck_attention_avx2;
#endif
