#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define KERNELS ck_place_avx2
#define VECTOR_BYTES 32
#define MAX_ROWS 6
#include "convolution_place_isa.h"

#pragma clang attribute pop
#else
typedef int ck_place_avx2_is_for_x86;
#endif
