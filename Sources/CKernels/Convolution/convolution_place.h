/// Convolutions in two dimensions that read their source where it stands: a tile of results is some neighbours of a row by
/// some vectors of channels, and what it takes from the source are single numbers, spread over a vector each. Only the
/// weights are packed, and rows padded with zeros at their ends. With few channels, where packing columns of the source costs
/// as much as multiplying them, this is the faster way; along a row the stride is 1.
///
/// The input gradient of a stride of 1 is the same, with the weights' taps reversed.
#ifndef CK_CONVOLUTION_PLACE_H
#define CK_CONVOLUTION_PLACE_H

#include <stddef.h>
#include <stdint.h>

#include "ck_convolution.h"
#include "ck_isa.h"

/// A row of results of one image, for the channels of one packed block.
typedef struct place_row {
    const float *source;     // of the image
    int64_t origin;          // where the first result's first tap stands there, were all rows at hand
    const int64_t *offsets;  // of the taps, in the order of the packed weights: kernel row, channel, kernel column
    int64_t first, end;      // the taps whose rows lie in the source
    const float *weights;    // `vectors` vectors for each tap
    int64_t vectors, channels;
    const float *bias;       // null or as many as there are channels
    int rectified;
    float *result;
    int64_t width;           // of the result
    int64_t pixel, channel;  // elements of the result from one to the next; `channel` is 1 where the channels are the last axis
    int64_t kernel_x;
    int is_full;             // each number of a row of the source meets all `kernel_x` taps
} place_row;

/// A tile of the weight gradient: the taps of some kernel rows, of 3 or 5 each, by some vectors of result channels, summed over the
/// pixels of some images.
typedef struct place_taps {
    const float *source;     // of the first image
    const int64_t *pixels;   // where the first tap of each result stands
    int64_t pixel_count, images, image;  // `image` from one image to the next
    int64_t kernel_x, kernel_rows[4];    // where these stand
    const float *gradient;   // `vectors` vectors for each pixel, `gradient_step` elements apart
    int64_t vectors, gradient_step;
    float *sums;             // likewise for each tap
    int add;                 // to what is there
} place_taps;

typedef struct place_kernels {
    int64_t lanes;
    void (*row)(const place_row *row);
    int64_t kernel_rows[2];  // of a tile of the weight gradient with 3 and 5 taps
    void (*taps)(const place_taps *taps);
    /// to[p * width + c] = from[c * stride + p], zeros from `channels` to `width`, which is in whole vectors; p < count.
    void (*stand)(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count);
    /// to[c * stride + p] = from[p * width + c] + bias[c], unless `bias` is null, and its ReLU when `rectified`; c < channels, p < count.
    void (*lie)(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count,
                const float *bias, int rectified);
    /// to[p * stride + c] = from[p * width + c] + bias[c] likewise.
    void (*put)(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count,
                const float *bias, int rectified);
    /// C = A B, or C += A B: see matmul_plane.h.
    void (*multiply)(int64_t rows, int64_t columns, int64_t k, const float *a, int64_t a_step, int packed, const float *b,
                     int64_t b_row, float *c, int64_t c_row, int accumulate);
} place_kernels;

extern const place_kernels ck_place_baseline;
#if defined(__x86_64__)
extern const place_kernels ck_place_avx2, ck_place_avx512;
#endif

const place_kernels *ck_place_kernels(ck_isa isa);

/// to[p * width + c] = from[p * stride + c], zeros from `channels` to `width`; p < count.
void ck_place_widen(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count);

/// Images that are copied into planes with zeros around them, in blocks.
typedef struct place_padding {
    const place_kernels *kernels;
    const float *from;
    float *to;
    int64_t images, channels, height, width, rows, columns;  // so many zeros above and below, left and right
    int channels_last;                                       // of `from`
} place_padding;

int64_t ck_place_padded_elements(const place_padding *padding);
int64_t ck_place_padding_blocks(const place_padding *padding);
void ck_place_pad_block(const place_padding *padding, int64_t block);

/// Whether this way is open to a pass, and the faster one.
int ck_place_serves(const ck_convolution *p, ck_convolution_pass pass);
size_t ck_place_workspace(const ck_convolution *p, ck_convolution_pass pass);
/// `result` = `source` convolved with w: y and x, or for the input gradient dx and dy.
void ck_place_run(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                  const float *bias, int rectified, void *workspace);

/// The same for the weight gradient, with kernels of 3 or 5 columns.
int ck_place_gradient_serves(const ck_convolution *p);
size_t ck_place_gradient_workspace(const ck_convolution *p);
void ck_place_gradient(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace);

#endif
