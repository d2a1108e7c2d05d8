#ifndef CK_INTEGERS_KERNELS_H
#define CK_INTEGERS_KERNELS_H

#include "ck_integers.h"
#include "elementwise_kernels.h"

/// Reduces rows (inner is 1) or columns of [length, inner] into `out`, which it does not read.
typedef void (*ck_integer_reduce_kernel)(int64_t length, int64_t inner, void *out, const void *x);

/// The kernels compiled for one instruction set.
typedef struct ck_integer_kernels {
    ck_row_kernel binary[CK_INTEGER_BINARY_COUNT][CK_INTEGER_COUNT];
    ck_row_kernel compare[CK_COMPARISON_COUNT][CK_INTEGER_COUNT];
    ck_row_kernel convert[CK_NUMBER_COUNT][CK_NUMBER_COUNT];
    ck_integer_reduce_kernel reduce[CK_INTEGER_REDUCTION_COUNT][CK_INTEGER_COUNT];
    /// One row of a product: c[n] = a[k] b[k, n].
    void (*product_row)(int64_t n, int64_t k, const int64_t *a, int64_t a_column, const int64_t *b, int64_t b_row, int64_t *c);
} ck_integer_kernels;

CK_DECLARE_TABLES(ck_integer_kernels, ck_integers);

#endif
