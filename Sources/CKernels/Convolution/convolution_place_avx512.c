#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), apply_to = function)

#define KERNELS ck_place_avx512
#define VECTOR_BYTES 64
#define MAX_ROWS 14
#define LOW_BITS(count) ((__mmask16)((1u << (count)) - 1))
#define MASKED_LOAD(from, count) _mm512_maskz_loadu_ps(LOW_BITS(count), from)
#define MASKED_STORE(to, x, count) _mm512_mask_storeu_ps(to, LOW_BITS(count), (__m512)(x))
#include "convolution_place_isa.h"

#pragma clang attribute pop
#else
typedef int ck_place_avx512_is_for_x86;
#endif
