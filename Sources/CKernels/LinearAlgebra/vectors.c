#include "ck_vectors.h"
#include "vectors_kernels.h"

double ck_dot_f64(int64_t count, const double *x, const double *y) { return CK_CURRENT_TABLE(ck_vectors)->dot(count, x, y); }

void ck_add_scaled_f64(int64_t count, double factor, const double *x, double *y)
{
    CK_CURRENT_TABLE(ck_vectors)->add(count, factor, x, y);
}

void ck_rotate_rows_f64(int64_t rows, int64_t columns, double *x, int64_t length, const double *turns, double *scratch)
{
    CK_CURRENT_TABLE(ck_vectors)->rotate_rows(rows, columns, x, length, turns, scratch);
}
