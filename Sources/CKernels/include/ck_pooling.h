#ifndef CK_POOLING_H
#define CK_POOLING_H

#include <stdint.h>

/// Pooling over three spatial axes of contiguous planes: x (planes, input...), y (planes, output...), or, where there are `channels`,
/// x (planes, input..., channels), y (planes, output..., channels), with indices laid out as y. The caller computes `output` (ceil mode
/// included). Windows may hang over the end; the overhang is padding that never counts.
typedef struct ck_pooling {
    int64_t planes;
    int64_t input[3], kernel[3], output[3], stride[3], padding[3], dilation[3];  // averages: dilation 1
    int32_t count_includes_padding;
    int64_t divisor;  // averages: 0, or what to divide by instead of the window's size
    int64_t channels;  // 0: planes
} ck_pooling;

/// Maximum (a NaN wins) and where it was: the flat position in its input plane, the first one on a tie.
void ck_max_pool_f32(const ck_pooling *p, float *y, int64_t *indices, const float *x);
void ck_max_pool_f64(const ck_pooling *p, double *y, int64_t *indices, const double *x);
/// dx[indices] += dy, from zero; each index is -1, which is nowhere, or lies in its window.
void ck_max_pool_grad_f32(const ck_pooling *p, float *dx, const float *dy, const int64_t *indices);
void ck_max_pool_grad_f64(const ck_pooling *p, double *dx, const double *dy, const int64_t *indices);

void ck_average_pool_f32(const ck_pooling *p, float *y, const float *x);
void ck_average_pool_f64(const ck_pooling *p, double *y, const double *x);
void ck_average_pool_grad_f32(const ck_pooling *p, float *dx, const float *dy);
void ck_average_pool_grad_f64(const ck_pooling *p, double *dx, const double *dy);

#endif
