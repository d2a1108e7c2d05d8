#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"))), \
                             apply_to = function)

#define LOW_BITS(count) ((1u << (count)) - 1)
#define MASKED_LOAD_F32(from, count) _mm512_maskz_loadu_ps((__mmask16)LOW_BITS(count), from)
#define MASKED_LOAD_F64(from, count) _mm512_maskz_loadu_pd((__mmask8)LOW_BITS(count), from)
#define MASKED_STORE_F32(to, x, count) _mm512_mask_storeu_ps(to, (__mmask16)LOW_BITS(count), (__m512)(x))
#define MASKED_STORE_F64(to, x, count) _mm512_mask_storeu_pd(to, (__mmask8)LOW_BITS(count), (__m512d)(x))

#define ISA avx512
#define VECTOR_BYTES 64
#define MAX_ROWS 14
#define DOT_ROWS 4
#include "matmul_isa.h"

#pragma clang attribute pop
#else
typedef int ck_matmul_avx512_is_for_x86;
#endif
