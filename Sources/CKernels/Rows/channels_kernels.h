/// What the operations on channels need of one instruction set. Index 0 is float, 1 double.
#ifndef CK_CHANNELS_KERNELS_H
#define CK_CHANNELS_KERNELS_H

#include "ck_channels.h"
#include "isa_tables.h"

typedef struct ck_channel_arrays {
    int64_t batch, channels, places;
    void *out;  // y or dx
    const void *x, *dy;
    void *mean, *rstd, *variance;  // the gradients only read them
    const void *weight, *bias;
    void *weight_grad, *bias_grad;
    const void *added;  // to y, unless null
    int rectified;      // y = max(y, 0) last
    const void *y;      // the gradient's: the rectified y, or null
    void *added_grad;   // null when nothing was added, or nothing rectified
    double eps;
} ck_channel_arrays;

/// Channels first..<end. Layer norm: `batch` rows of `channels` columns.
typedef void (*ck_channels_kernel)(int64_t first, int64_t end, const ck_channel_arrays *arrays);

/// The second index: 0 where a channel's places are a run of memory, 1 where there is one place and channels are neighbours.
typedef struct ck_channels_kernels {
    ck_channels_kernel norm[2][2], norm_grad[2][2];
} ck_channels_kernels;

CK_DECLARE_TABLES(ck_channels_kernels, ck_channels);

#endif
