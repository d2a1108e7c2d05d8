#if defined(__x86_64__)
#include "vector_math_avx512.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

#include "channels_kernels.h"

#define KERNELS ck_channels_avx512
#pragma clang attribute push(__attribute__((target(CK_TARGET))), apply_to = function)
#include "channels_isa.h"
#pragma clang attribute pop
#else
// Nothing to compile: the baseline serves.
typedef int ck_channels_avx512;
#endif
