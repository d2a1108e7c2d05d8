#include "CProbes.h"

// Twelve independent sums hide a latency of 4 to 6 cycles on two units.
#define CHAINS 12

#define DEFINE_PEAK(NAME, BYTES, ATTRIBUTE)                                                                    \
    ATTRIBUTE static double NAME(long rounds) {                                                                \
        typedef float vector __attribute__((vector_size(BYTES)));                                              \
        vector sums[CHAINS];                                                                                   \
        for (int i = 0; i < CHAINS; i++) sums[i] = (vector){0} + (float)i;                                     \
        vector factor = (vector){0} + 0.999f, term = (vector){0} + 0.001f;                                     \
        for (long round = 0; round < rounds; round++) {                                                        \
            _Pragma("clang loop unroll(full)") for (int i = 0; i < CHAINS; i++) sums[i] = sums[i] * factor + term; \
            __asm__ volatile("" : "+m"(factor));                                                               \
        }                                                                                                      \
        vector total = sums[0];                                                                                \
        for (int i = 1; i < CHAINS; i++) total += sums[i];                                                     \
        volatile float sink = total[0];                                                                        \
        (void)sink;                                                                                            \
        return 2.0 * CHAINS * (BYTES / 4) * (double)rounds;                                                    \
    }

#pragma clang fp contract(fast)
#if defined(__x86_64__)
DEFINE_PEAK(peak16, 16, )
DEFINE_PEAK(peak32, 32, __attribute__((target("avx2,fma"))))
DEFINE_PEAK(peak64, 64, __attribute__((target("avx512f"))))
#else
DEFINE_PEAK(peak16, 16, )
#define peak32 peak16
#define peak64 peak16
#endif

double probe_multiply_adds(int width, long rounds) {
    return width == 64 ? peak64(rounds) : width == 32 ? peak32(rounds) : peak16(rounds);
}
