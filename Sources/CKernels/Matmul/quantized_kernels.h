/// What linear layers with weights of fewer bits need of one instruction set.
#ifndef CK_QUANTIZED_KERNELS_H
#define CK_QUANTIZED_KERNELS_H

#include "ck_quantized.h"
#include "isa_tables.h"

typedef struct ck_quantized_linear {
    int64_t m, n, k;
    float *y;
    const float *x;
    const void *weight;
    const float *scale, *bias;  // or null
} ck_quantized_linear;

/// Rows first..<end of the weight: as many columns of y.
typedef void (*ck_quantized_kernel)(int64_t first, int64_t end, const ck_quantized_linear *call);

typedef struct ck_quantized_kernels {
    ck_quantized_kernel int8, bfloat16;
} ck_quantized_kernels;

CK_DECLARE_TABLES(ck_quantized_kernels, ck_quantized);

#endif
