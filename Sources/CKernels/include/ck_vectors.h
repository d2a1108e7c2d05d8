#ifndef CK_VECTORS_H
#define CK_VECTORS_H

#include <stdint.h>

// The loops of factorisations, over contiguous vectors. On the calling thread alone.

/// x · y
double ck_dot_f64(int64_t count, const double *x, const double *y);
/// y += factor · x
void ck_add_scaled_f64(int64_t count, double factor, const double *x, double *y);
/// Runs of rotations of neighbouring rows of the row-major x. `turns` has for each run the number of the first row and how many
/// rotations follow, and then their c and s: rows k and k + 1, k + 1 and k + 2, ... `scratch` has room for CK_ROTATED_COLUMNS numbers of each row.
#define CK_ROTATED_COLUMNS 32
void ck_rotate_rows_f64(int64_t rows, int64_t columns, double *x, int64_t length, const double *turns, double *scratch);

#endif
