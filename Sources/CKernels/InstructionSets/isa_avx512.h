/// Compiles TEXT for AVX-512; nothing where the processor is another, for there the baseline serves.
#if defined(__x86_64__)
#define CK_VECTOR_BYTES 64
#define CK_FUSED 1

// What is included within the attribute would be compiled for the instruction set too.
#include <immintrin.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"))), apply_to = function)
#include TEXT
#pragma clang attribute pop
#endif
