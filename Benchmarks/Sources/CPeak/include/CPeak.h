#ifndef CPEAK_H
#define CPEAK_H

/// Runs `rounds` rounds of independent fused multiply-adds on float vectors and returns how many floating-point operations that was.
/// `width` is the vector's width in bytes: 16, 32 (AVX2 + FMA) or 64 (AVX-512). The caller knows that the machine has it.
double cpeak_multiply_adds(int width, long rounds);

#endif
