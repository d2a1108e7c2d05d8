#if defined(__x86_64__)
#include <immintrin.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

#define KERNELS ck_place_avx2
#define VECTOR_BYTES 32
#define MAX_ROWS 6
#define LOW_LANES(count) _mm256_cmpgt_epi32(_mm256_set1_epi32((int)(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7))
#define MASKED_LOAD(from, count) _mm256_maskload_ps(from, LOW_LANES(count))
#define MASKED_STORE(to, x, count) _mm256_maskstore_ps(to, LOW_LANES(count), (__m256)(x))
#include "convolution_place_isa.h"

#pragma clang attribute pop
#else
typedef int ck_place_avx2_is_for_x86;
#endif
