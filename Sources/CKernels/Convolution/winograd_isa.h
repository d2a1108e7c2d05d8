// The Winograd kernels of one instruction set. Included with KERNELS (the table's name), VECTOR_BYTES and MAX_ROWS defined.

#include <stdint.h>

#include "transpose_square.h"
#include "winograd.h"

#pragma STDC FP_CONTRACT ON

#define T float
#define NAME(x) x##_winograd
#include "matmul_tile.h"
#include "matmul_plane.h"
#include "transpose_vectors.h"
#include "convolution_rectify.h"

#include "winograd_transforms_body.h"
#include "winograd_multiply_body.h"

const winograd_kernels KERNELS = {
    .source = transform_source, .gradient = transform_gradient, .weights = transform_weights,
    .multiply = multiply, .result = transform_result, .multiply_gradients = multiply_gradients,
    .weight_gradient = weight_gradient,
};
