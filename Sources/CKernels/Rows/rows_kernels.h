/// What the row operations need of one instruction set. Index 0 is float, 1 double; `kind` below is `logarithm`.
#ifndef CK_ROWS_KERNELS_H
#define CK_ROWS_KERNELS_H

#include "ck_rows.h"
#include "isa_tables.h"

typedef struct ck_row_arrays {
    void *out;
    const void *x;      // softmax: x; gradients: dy
    const void *other;  // softmax gradient: y; layer norm gradient: x
    void *mean, *rstd;  // layer norm; only read by its gradient
    const void *weight, *bias;
    double eps;
    double *sums;       // layer norm gradient: null, or CK_SUMS_SIZE numbers for each block of `sums_rows` rows
    int64_t sums_rows;
    int64_t row;        // which row of all the arrays begin with: where its sums are
} ck_row_arrays;

/// The sums over rows of dy, of dy z, and room for both while they are made.
#define CK_SUMS_SIZE(columns) (4 * (columns))

/// Rows first..<end of the arrays.
typedef void (*ck_rows_kernel)(int64_t first, int64_t end, int64_t columns, const ck_row_arrays *arrays);

typedef struct ck_rows_kernels {
    ck_rows_kernel softmax[2][2], softmax_grad[2][2];  // type, kind
    ck_rows_kernel layer_norm[2], layer_norm_grad[2];
} ck_rows_kernels;

CK_DECLARE_TABLES(ck_rows_kernels, ck_rows);

const ck_rows_kernels *ck_rows_current(void);

/// Rows whose sums are one: what is cut into blocks of so many rows has the same sums.
int64_t ck_rows_block(int64_t rows, int64_t columns);
/// The gradients of weight and bias from the sums of all blocks.
void ck_layer_norm_grad_finish(int is_double, int64_t rows, int64_t columns, const ck_row_arrays *arrays, void *dweight,
                               void *dbias);

#endif
