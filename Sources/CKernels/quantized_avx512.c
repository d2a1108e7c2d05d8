#if defined(__x86_64__)
#include "vector_math_avx512.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "quantized_kernels.h"

#define KERNELS ck_quantized_avx512
#pragma clang attribute push(__attribute__((target(CK_TARGET))), apply_to = function)
#include "quantized_isa.h"
#pragma clang attribute pop
#else
// Nothing to compile: the baseline serves.
typedef int ck_quantized_avx512;
#endif
