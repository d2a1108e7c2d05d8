#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)

#define KERNELS ck_winograd_avx512
#define VECTOR_BYTES 64
#define MAX_ROWS 14
#include "winograd_isa.h"

#pragma clang attribute pop
#else
typedef int ck_winograd_avx512_is_for_x86;
#endif
