#ifndef CK_CONVOLUTION_H
#define CK_CONVOLUTION_H

#include <stddef.h>
#include <stdint.h>

/// A cross-correlation over three spatial axes (depth, height, width); fewer axes have size 1 in front. All arrays are
/// contiguous: x (batch, in_channels, input...), w (out_channels, in_channels / groups, kernel...),
/// y (batch, out_channels, output...). output = (input + 2 padding - dilation (kernel - 1) - 1) / stride + 1.
/// For `ck_convolution_channels_last` the channels of x or y, and of its gradient, may be the last axis: (batch, input..., in_channels).
typedef struct ck_convolution {
    int64_t batch, in_channels, out_channels, groups;
    int64_t input[3], kernel[3], output[3], stride[3], padding[3], dilation[3];
    int32_t x_channels_last, y_channels_last;  // whether the channels are the last axis
} ck_convolution;

typedef enum ck_convolution_pass { CK_CONV_FORWARD, CK_CONV_INPUT_GRAD, CK_CONV_WEIGHT_GRAD } ck_convolution_pass;

/// Bytes of workspace (64-byte aligned by the caller) a pass needs; it does not grow with the batch's im2col.
size_t ck_convolution_workspace_f32(const ck_convolution *p, ck_convolution_pass pass);
size_t ck_convolution_workspace_f64(const ck_convolution *p, ck_convolution_pass pass);

/// y = x * w + bias (bias: out_channels, or null), and its ReLU when `rectified`: the bits of CK_RELU.
void ck_convolution_f32(const ck_convolution *p, float *y, const float *x, const float *w, const float *bias, int rectified,
                        void *workspace);
void ck_convolution_f64(const ck_convolution *p, double *y, const double *x, const double *w, const double *bias, int rectified,
                        void *workspace);
/// dx from dy and w. Also the forward of a transposed convolution (elements of x that no y saw get 0).
void ck_convolution_input_grad_f32(const ck_convolution *p, float *dx, const float *dy, const float *w, void *workspace);
void ck_convolution_input_grad_f64(const ck_convolution *p, double *dx, const double *dy, const double *w, void *workspace);
/// dw from dy and x.
void ck_convolution_weight_grad_f32(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace);
void ck_convolution_weight_grad_f64(const ck_convolution *p, double *dw, const double *dy, const double *x, void *workspace);

/// Whether a pass has a fast way of its own for channels that lie as `p` says. It is open to `ck_convolution_channels_last` alone.
int ck_convolution_channels_last_serves(const ck_convolution *p, ck_convolution_pass pass);
/// One pass. Forward: (y, x, w, bias), input gradient: (dx, dy, w), weight gradient: (dw, dy, x); `bias` and `rectified` are for the
/// forward pass. Answers whether it is done: not where no way is open, or where a result of Winograd's way is not finite and the
/// direct way has to say which ones are. The workspace is that of the pass.
int ck_convolution_channels_last(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *first,
                                 const float *second, const float *bias, int rectified, void *workspace);

#endif
