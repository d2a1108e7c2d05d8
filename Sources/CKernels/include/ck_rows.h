#ifndef CK_ROWS_H
#define CK_ROWS_H

#include <stddef.h>
#include <stdint.h>

/// Fused operations on the rows of contiguous (rows, columns) matrices.

/// y = softmax(x) or, with `logarithm`, log softmax(x), along each row. A row of -inf gives NaN, as in PyTorch.
void ck_softmax_f32(int logarithm, int64_t rows, int64_t columns, float *y, const float *x);
void ck_softmax_f64(int logarithm, int64_t rows, int64_t columns, double *y, const double *x);
/// dx from dy and y: y (dy - sum(dy y)), or for the logarithm dy - exp(y) sum(dy).
void ck_softmax_grad_f32(int logarithm, int64_t rows, int64_t columns, float *dx, const float *dy, const float *y);
void ck_softmax_grad_f64(int logarithm, int64_t rows, int64_t columns, double *dx, const double *dy, const double *y);

/// y = (x - mean) * rstd * weight + bias for each row, rstd = 1 / sqrt(var + eps); keeps mean and rstd (one a row).
/// `weight` and `bias` have `columns` elements, or are null.
void ck_layer_norm_f32(int64_t rows, int64_t columns, float *y, float *mean, float *rstd, const float *x, const float *weight, const float *bias, float eps);
void ck_layer_norm_f64(int64_t rows, int64_t columns, double *y, double *mean, double *rstd, const double *x, const double *weight, const double *bias, double eps);
/// dx, and when they are not null dweight = sum over the rows of dy (x - mean) rstd and dbias = sum of dy, one for each column.
/// `workspace` (64-byte aligned) has ck_layer_norm_grad_workspace bytes then.
void ck_layer_norm_grad_f32(int64_t rows, int64_t columns, float *dx, float *dweight, float *dbias, const float *dy, const float *x, const float *mean, const float *rstd, const float *weight, void *workspace);
void ck_layer_norm_grad_f64(int64_t rows, int64_t columns, double *dx, double *dweight, double *dbias, const double *dy, const double *x, const double *mean, const double *rstd, const double *weight, void *workspace);
size_t ck_layer_norm_grad_workspace(int64_t rows, int64_t columns);

#endif
