#if defined(__x86_64__)
#include <immintrin.h>
#include <stdint.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

/// Ones where the lanes are below `count`: a window on ones followed by zeros.
static inline __m256i mask_f32(int64_t count) {
    static const int32_t ones[16] = {-1, -1, -1, -1, -1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ones + 8 - count));
}

static inline __m256i mask_f64(int64_t count) {
    static const int64_t ones[8] = {-1, -1, -1, -1};
    return _mm256_loadu_si256((const __m256i *)(ones + 4 - count));
}

#define MASKED_LOAD_F32(from, count) _mm256_maskload_ps(from, mask_f32(count))
#define MASKED_LOAD_F64(from, count) _mm256_maskload_pd(from, mask_f64(count))
#define MASKED_STORE_F32(to, x, count) _mm256_maskstore_ps(to, mask_f32(count), (__m256)(x))
#define MASKED_STORE_F64(to, x, count) _mm256_maskstore_pd(to, mask_f64(count), (__m256d)(x))

#define ISA avx2
#define VECTOR_BYTES 32
#define MAX_ROWS 6
#define DOT_ROWS 2
#include "matmul_isa.h"

#pragma clang attribute pop
#else
typedef int ck_matmul_avx2_is_for_x86;
#endif
