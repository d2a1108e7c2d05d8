#ifndef CK_QUANTIZED_H
#define CK_QUANTIZED_H

#include <stdint.h>

/// Linear layers whose weights are kept in fewer bits, computed in float: a few rows of x against a weight that is read once.

/// y (m, n) = x (m, k) Wᵀ + bias, all row-major. W (n, k) holds integers, of which row j means W[j] scale[j]; bias has n elements or is
/// null.
void ck_linear_int8(int64_t m, int64_t n, int64_t k, float *y, const float *x, const int8_t *weight, const float *scale, const float *bias);
/// The same with W in bfloat16: the upper halves of floats.
void ck_linear_bfloat16(int64_t m, int64_t n, int64_t k, float *y, const float *x, const uint16_t *weight, const float *bias);

#endif
