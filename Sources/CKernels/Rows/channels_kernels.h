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

/// Channels first..<end, whose places are runs of memory.
typedef void (*ck_channel_runs_kernel)(int64_t first, int64_t end, const ck_channel_arrays *arrays);

/// Some of the channels where there is one place and channels are neighbours.
typedef struct ck_channel_block {
    int64_t channel, channels, row, rows;  // which, in which rows of the batch
    double *sums;                          // two for each channel, the second ones `stride` behind the first
    int64_t stride;                        // a multiple of all vectors
    int64_t blocks;                        // whose sums lie behind one another, for `finish`
} ck_channel_block;
typedef void (*ck_channel_block_kernel)(const ck_channel_arrays *arrays, const ck_channel_block *block);

/// `sum` adds a block to its sums, `finish` turns those of all blocks into results for each channel, and `write` needs what it left in the
/// first of them.
typedef struct ck_channel_kernels {
    ck_channel_runs_kernel runs;
    ck_channel_block_kernel sum, finish, write;
} ck_channel_kernels;

typedef struct ck_channels_kernels {
    ck_channel_kernels norm[2], norm_grad[2];
} ck_channels_kernels;

CK_DECLARE_TABLES(ck_channels_kernels, ck_channels);

#endif
