#ifndef CK_VECTORS_H
#define CK_VECTORS_H

#include <stdint.h>

// The loops of factorisations, over contiguous vectors. On the calling thread alone.

/// x · y
double ck_dot_f64(int64_t count, const double *x, const double *y);
/// y += factor · x
void ck_add_scaled_f64(int64_t count, double factor, const double *x, double *y);
/// (x, y) = (c x + s y, c y − s x)
void ck_rotate_f64(int64_t count, double c, double s, double *x, double *y);

#endif
