#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define KERNELS ck_winograd_avx2
#define VECTOR_BYTES 32
#define MAX_ROWS 6
#include "winograd_isa.h"

#pragma clang attribute pop
#else
typedef int ck_winograd_avx2_is_for_x86;
#endif
