/// Convolutions of 3 by 3 with stride 1 by Winograd's minimal filtering F(4x4, 3x3) (Lavin and Gray, 2015): a tile of 4 by 4
/// results takes 36 multiplications for each pair of channels, where the sum of products takes 144.
///
/// With polynomials through the points 0, ±a, ±b and infinity, for one axis,
///     result = A' ((G weights) * (B' source)),
/// source 6 numbers, weights 3, result 4, * element by element. In two axes each matrix is applied to rows and columns, and
/// the sum over source channels makes a matrix product of each of the 36 elements. The gradient of the weights is the
/// transposed map: G' ((A gradient) * (B' source)), summed over tiles. The points a = 5/8 and b = 3/2 keep the matrices'
/// elements near 1: the error is about twice that of the sum of products, with 1 and 2 it is four times.
#ifndef CK_WINOGRAD_H
#define CK_WINOGRAD_H

#include <stddef.h>
#include <stdint.h>

#include "ck_convolution.h"
#include "isa_tables.h"

enum {
    WINOGRAD_POINTS = 36,
    WINOGRAD_CHANNELS = 16,        // rows of transformed channels are padded to a multiple of this
    WINOGRAD_RESULTS = 32,         // result channels that a piece of work has at a time
    WINOGRAD_SOURCES = 128,        // source channels whose weights are transformed at a time
    WINOGRAD_FEW_TILES = 32,       // tiles multiplied at a time when all the source channels pass at once
    WINOGRAD_TILES = 64,           // the same when they don't
    WINOGRAD_NEAR_CHANNELS = 64,   // with no more, some tiles go from source to result in one go
    WINOGRAD_NEAR_TILES = 32,      // as many or more
    WINOGRAD_GRADIENT_SOURCES = 64,  // the weight gradient: source channels of a piece
    WINOGRAD_PAD = 16,             // elements between planes, which else fall on the same lines of a cache
    WINOGRAD_WEIGHTS_PLANE = WINOGRAD_SOURCES * WINOGRAD_RESULTS + WINOGRAD_PAD,
    WINOGRAD_PRODUCT_PLANE = WINOGRAD_TILES * WINOGRAD_RESULTS + WINOGRAD_PAD,  // also of a weight gradient
    WINOGRAD_SCRATCH = WINOGRAD_POINTS * (WINOGRAD_WEIGHTS_PLANE + WINOGRAD_PRODUCT_PLANE),  // elements
};

/// One side of a convolution: what lies on the source's side, or on the result's.
typedef struct winograd_side {
    int64_t channels, padded_channels;
    int64_t height, width;
    int64_t pixel, channel;  // elements of an image from one to the next; `channel` is 1 where the channels are the last axis
    int64_t plane;  // elements of a transformed plane: tiles by padded channels, and a pad
} winograd_side;

typedef struct winograd_problem {
    winograd_side source, result;
    int64_t images, pad_y, pad_x;
    int64_t tile_rows, tile_columns, tiles;  // of an image, and in all
    int64_t weight_source, weight_result;    // strides in w of a source channel and a result channel
    int reversed;                            // the taps of w count from the end
    int rectified;                           // the results: ReLU
} winograd_problem;

/// A rectangle of tiles, source and result channels.
typedef struct winograd_piece {
    int64_t tile, tiles, source, sources, result, results;
} winograd_piece;

/// One instruction set.
typedef struct winograd_kernels {
    /// transformed = B' source B of the tiles of a row of tiles (counted through the batch), which come first there.
    void (*source)(const winograd_problem *problem, int64_t row, const float *source, float *transformed);
    /// transformed = A gradient A' likewise, of what lies on the result's side.
    void (*gradient)(const winograd_problem *problem, int64_t row, const float *gradient, float *transformed);
    /// transformed = G weights G' of the piece's channels: planes of WINOGRAD_WEIGHTS_PLANE, a row for each source.
    void (*weights)(const winograd_problem *problem, const winograd_piece *piece, const float *weights,
                    float *transformed);
    /// product (planes of WINOGRAD_PRODUCT_PLANE, a row for each tile) = or += sources * weights; `sources` begin with the piece's
    /// first tile and channel.
    void (*multiply)(const winograd_problem *problem, const winograd_piece *piece, const float *sources,
                     const float *weights, float *product);
    /// result = A' product A + bias, its ReLU when the problem is rectified. Answers whether all of it is finite.
    int (*result)(const winograd_problem *problem, const winograd_piece *piece, const float *product, const float *bias,
                  float *result);
    /// product (planes of WINOGRAD_PRODUCT_PLANE, a row for each result) = or += the sum over the piece's tiles of gradients * sources,
    /// which both begin with the piece's first tile and channel.
    void (*multiply_gradients)(const winograd_problem *problem, const winograd_piece *piece, const float *gradients,
                               const float *sources, float *product, int add);
    /// dw = G' product G. Answers whether all of it is finite.
    int (*weight_gradient)(const winograd_problem *problem, const winograd_piece *piece, const float *product, float *dw);
} winograd_kernels;

CK_DECLARE_TABLES(winograd_kernels, ck_winograd);

/// Whether this way is open to a pass and the faster one.
int ck_winograd_serves(const ck_convolution *p, ck_convolution_pass pass);
size_t ck_winograd_workspace(const ck_convolution *p, ck_convolution_pass pass);

// Each answers whether all results are finite. Where an input or a sum is not, a whole tile is lost, and the caller has to
// go the direct way, which spoils only what the input takes part in.
int ck_winograd_forward(const ck_convolution *p, float *y, const float *x, const float *w, const float *bias,
                        int rectified, void *workspace);
int ck_winograd_input_grad(const ck_convolution *p, float *dx, const float *dy, const float *w, void *workspace);
int ck_winograd_weight_grad(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace);

#endif
