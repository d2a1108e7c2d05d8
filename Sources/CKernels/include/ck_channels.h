#ifndef CK_CHANNELS_H
#define CK_CHANNELS_H

#include <stdint.h>

/// Fused operations on contiguous (batch, channels, places) arrays that keep one number for each channel. Sums are made in
/// double.

/// y = (x - mean) rstd weight + bias, rstd = 1 / sqrt(variance + eps), with the mean and the biased variance of each channel,
/// which are kept. `weight` and `bias` have `channels` elements, or are null.
void ck_batch_norm_f32(int64_t batch, int64_t channels, int64_t places, float *y, float *mean, float *rstd, float *variance, const float *x, const float *weight, const float *bias, float eps);
void ck_batch_norm_f64(int64_t batch, int64_t channels, int64_t places, double *y, double *mean, double *rstd, double *variance, const double *x, const double *weight, const double *bias, double eps);
/// dx, dweight = sum(dy (x - mean) rstd) and dbias = sum(dy), one for each channel.
void ck_batch_norm_grad_f32(int64_t batch, int64_t channels, int64_t places, float *dx, float *dweight, float *dbias, const float *dy, const float *x, const float *mean, const float *rstd, const float *weight);
void ck_batch_norm_grad_f64(int64_t batch, int64_t channels, int64_t places, double *dx, double *dweight, double *dbias, const double *dy, const double *x, const double *mean, const double *rstd, const double *weight);

#endif
