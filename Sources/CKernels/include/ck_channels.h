#ifndef CK_CHANNELS_H
#define CK_CHANNELS_H

#include <stdint.h>

/// Fused operations on contiguous (batch, channels, places) arrays that keep one number for each channel. Sums are made in
/// double.

/// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(variance + eps), with the mean and the biased variance of each channel,
/// which are kept. `weight` and `bias` have `channels` elements, or are null. What is `added`, unless null, joins y, and max(y, 0)
/// is taken last when it is `rectified`.
void ck_batch_norm_f32(int64_t batch, int64_t channels, int64_t places, float *y, float *mean, float *rstd, float *variance, const float *x, const float *weight, const float *bias, const float *added, int rectified, float eps);
void ck_batch_norm_f64(int64_t batch, int64_t channels, int64_t places, double *y, double *mean, double *rstd, double *variance, const double *x, const double *weight, const double *bias, const double *added, int rectified, double eps);
/// dx, dweight = sum(g (x - mean) rstd) and dbias = sum(g), one for each channel. g is dy, and 0 where y <= 0 when y, the rectified
/// result, is given; then `dadded`, unless null, becomes g.
void ck_batch_norm_grad_f32(int64_t batch, int64_t channels, int64_t places, float *dx, float *dweight, float *dbias, float *dadded, const float *dy, const float *y, const float *x, const float *mean, const float *rstd, const float *weight);
void ck_batch_norm_grad_f64(int64_t batch, int64_t channels, int64_t places, double *dx, double *dweight, double *dbias, double *dadded, const double *dy, const double *y, const double *x, const double *mean, const double *rstd, const double *weight);

#endif
