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

/// A row of results of one image, for the channels of one packed block.
typedef struct place_row {
    const float *source;     // of the image
    int64_t origin;          // where the first result's first tap stands there, were all rows at hand
    const int64_t *offsets;  // of the taps, in the order of the packed weights: kernel row, channel, kernel column
    int64_t first, end;      // the taps whose rows lie in the source
    const float *weights;    // `vectors` vectors for each tap
    int64_t vectors, channels;
    const float *bias;       // null or as many as there are channels
    float *result;
    int64_t width, plane;    // of the result
} place_row;

typedef struct place_kernels {
    int64_t lanes;
    void (*row)(const place_row *row);
} place_kernels;

extern const place_kernels ck_place_baseline;
#if defined(__x86_64__)
extern const place_kernels ck_place_avx2, ck_place_avx512;
#endif

/// Whether this way is open to a pass, and the faster one.
int ck_place_serves(const ck_convolution *p, ck_convolution_pass pass);
size_t ck_place_workspace(const ck_convolution *p, ck_convolution_pass pass);
/// `result` = `source` convolved with w: y and x, or for the input gradient dx and dy.
void ck_place_run(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                  const float *bias, void *workspace);

#endif
