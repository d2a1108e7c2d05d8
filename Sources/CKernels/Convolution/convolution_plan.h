/// The geometry of a convolution as implicit matrix products, whatever the element type or instruction set.
///
/// Forward and input gradient are the same thing: result[row, pixel] = sum over depth of weights[row, depth] *
/// columns[depth, pixel], where depth runs over (source channel, tap) and `columns` is never stored as a whole. A pixel
/// of the result reads, along each axis, the source coordinate
///     origin + pixel * pixel_step + tap * tap_step.
/// Positions outside of the source count as zeros. An infinite weight that meets one may give NaN (0 * inf) or
/// nothing: the input gradient has a way that never multiplies by padding.
///
/// With a stride s an element of dx meets only every s-th tap, and which ones depends on its coordinate modulo s. So
/// the input gradient is cut into s phases an axis, each of them a convolution of stride 1 with a part of the kernel:
/// no multiplication by inserted zeros and no scattered additions.
#ifndef CK_CONVOLUTION_PLAN_H
#define CK_CONVOLUTION_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "ck_convolution.h"

enum {
    CK_CONV_BLOCK_WORK = 1 << 20,       // multiplications of a parallel block: some 20 microseconds
    CK_CONV_ENOUGH_BLOCKS = 16,         // below that, cut further
    CK_CONV_ROWS_AT_LEAST = 64,         // channels that share packed columns, when cut
    CK_CONV_PACK_ELEMENTS = 1 << 15,    // of a block that only copies or adds
    CK_CONV_MAX_TILE_ROWS = 8,          // over all instruction sets
    CK_CONV_SCRATCH_BYTES = 96 << 10,   // of columns, on the stack of each thread
    // The weight gradient goes by chunks of pixels of this many bytes, blocks of rows (output channels) and columns.
    CK_CONV_DOT_BYTES = 2048,
    CK_CONV_DOT_ROWS = 64,
    CK_CONV_DOT_COLUMNS = 192,
    CK_CONV_MAX_PARTS = 16,
};

/// One axis of one phase.
typedef struct ck_conv_axis {
    int64_t pixels, taps;
    int64_t origin, pixel_step, tap_step;    // source coordinate of (pixel, tap)
    int64_t first_result, result_step;       // result coordinate of a pixel
    int64_t first_kernel, kernel_step;       // kernel coordinate of a tap
    int64_t taps_before;                     // in the earlier phases of this axis
} ck_conv_axis;

/// What all phases share.
typedef struct ck_conv_product {
    int64_t batch, groups;
    int64_t source_channels, result_channels;  // of one group
    int64_t source_size[3], result_size[3], kernel[3];
    int64_t source_plane, result_plane, kernel_volume;
    int64_t weight_row, weight_channel;        // strides in w of a result channel and of a source channel
    int64_t weight_group;
    int64_t phase_count[3];
    ck_conv_axis *phases[3];                   // phase_count[a] axes each, in the workspace
} ck_conv_product;

/// One phase, all three axes.
typedef struct ck_conv_phase {
    ck_conv_axis axis[3];
    int64_t pixels, taps;   // of an image
    int64_t taps_before;    // in the earlier phases
    int dense;              // the pixels are the result plane in order
} ck_conv_phase;

/// Consecutive pixels in one row of one image.
typedef struct ck_conv_run {
    int32_t start, count;   // in the panel
    int64_t source;         // offset of the image's first channel of the group
    int64_t result;         // offset of the first pixel in the result, in the group's first channel
    int64_t z, y, x;        // source coordinate of the first pixel at tap 0
} ck_conv_run;

static inline int64_t ck_conv_min(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t ck_conv_max(int64_t a, int64_t b) { return a > b ? a : b; }
static inline int64_t ck_conv_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }
static inline size_t ck_conv_round_up(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// The product of a pass, without its phases. The weight gradient has that of the forward pass, as it reads x alike.
ck_conv_product ck_conv_plan(const ck_convolution *p, ck_convolution_pass pass);
/// Bytes that `ck_conv_plan_phases` fills.
size_t ck_conv_phase_bytes(const ck_conv_product *product);
/// Lays the phase tables into `memory`.
void ck_conv_plan_phases(ck_conv_product *product, const ck_convolution *p, ck_convolution_pass pass, void *memory);
/// Phase number `index` in 0..<product of phase counts.
ck_conv_phase ck_conv_phase_at(const ck_conv_product *product, int64_t index);
/// Cuts the pixels first..<first + count (numbered through the batch) into runs. Answers how many (at most `count`).
int ck_conv_find_runs(const ck_conv_product *product, const ck_conv_phase *phase, int64_t group, int64_t first,
                      int64_t count, ck_conv_run *runs);

/// Joins runs that are neighbours in the result too, which is all of an image when the phase is dense. Answers how many
/// are left; only `start`, `count` and `result` of these mean anything.
int ck_conv_join_runs(const ck_conv_phase *phase, ck_conv_run *runs, int run_count);

/// How the weight gradient is cut: rows and columns of dw, and parts of the pixels with a gradient of their own each.
typedef struct ck_conv_weights_plan {
    int64_t row_blocks, column_blocks, parts, chunks_per_part;
} ck_conv_weights_plan;

ck_conv_weights_plan ck_conv_plan_weights(const ck_conv_product *product, int64_t chunk_pixels);

/// Runs the blocks, without the pool when there is only one.
void ck_conv_blocks(int64_t blocks, void (*body)(void *context, int64_t block), void *context);

#endif
