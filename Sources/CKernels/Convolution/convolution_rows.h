/// Convolutions in two dimensions as products of pixels by channels: the source is turned so that the channels of a pixel are neighbours
/// in memory, and what a result sees of it, tap by tap, is copied into a row of the left factor, some hundreds of results at a time.
/// Such a copy is of whole runs, whatever the stride and the dilation; with many channels it costs a twentieth of the products.
///
/// The input gradient goes by the phases of convolution_plan.h. Those of a row of dx are computed side by side, so that it is
/// written in one go.
#ifndef CK_CONVOLUTION_ROWS_H
#define CK_CONVOLUTION_ROWS_H

#include <stddef.h>

#include "ck_convolution.h"

/// Whether this way is open to a pass, and the faster one where Winograd's is not open.
int ck_rows_serves(const ck_convolution *p, ck_convolution_pass pass);
size_t ck_rows_workspace(const ck_convolution *p, ck_convolution_pass pass);
/// `result` = `source` convolved with w: y and x, or for the input gradient dx and dy.
void ck_rows_run(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                 const float *bias, int rectified, void *workspace);
void ck_rows_gradient(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace);

#endif
