#ifndef CK_REDUCE_H
#define CK_REDUCE_H

#include "ck_elementwise.h"

/// A reduction: the kept axes, outermost first, with strides in the input; the output is contiguous over them. The
/// reduced axes likewise. Any strides, 0 included. An empty reduction gives the identity (0, 1, -inf, +inf).
typedef struct ck_reduction_loop {
    int32_t kept_rank, reduced_rank;
    int64_t kept_shape[CK_MAX_RANK], kept_strides[CK_MAX_RANK];
    int64_t reduced_shape[CK_MAX_RANK], reduced_strides[CK_MAX_RANK];
} ck_reduction_loop;

typedef enum ck_reduction {
    CK_SUM, CK_SUM_SQUARES, CK_SUM_NUMBERS /* a NaN counts as 0 */, CK_PROD, CK_MAX, CK_MIN /* a NaN wins */,
    CK_REDUCTION_COUNT
} ck_reduction;

/// Sums go by blocks and pairwise, so that the error does not grow with the count.
void ck_reduce_f32(ck_reduction op, const ck_reduction_loop *loop, float *out, const float *x);
void ck_reduce_f64(ck_reduction op, const ck_reduction_loop *loop, double *out, const double *x);
/// Sum of (x - center)^2 for each kept element; `center` is contiguous over the kept axes.
void ck_squared_deviations_f32(const ck_reduction_loop *loop, float *out, const float *x, const float *center);
void ck_squared_deviations_f64(const ck_reduction_loop *loop, double *out, const double *x, const double *center);
/// The position (row-major over the reduced axes) of the first maximum (`minimum` = 0) or minimum; a NaN wins, the first one.
void ck_arg_extremum_f32(int minimum, const ck_reduction_loop *loop, int64_t *out, const float *x);
void ck_arg_extremum_f64(int minimum, const ck_reduction_loop *loop, int64_t *out, const double *x);

#endif
