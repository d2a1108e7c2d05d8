#include "ck_vectors.h"
#include "vectors_kernels.h"

double ck_dot_f64(int64_t count, const double *x, const double *y) { return CK_CURRENT_TABLE(ck_vectors)->dot(count, x, y); }

void ck_add_scaled_f64(int64_t count, double factor, const double *x, double *y)
{
    CK_CURRENT_TABLE(ck_vectors)->add(count, factor, x, y);
}

void ck_rotate_f64(int64_t count, double c, double s, double *x, double *y)
{
    CK_CURRENT_TABLE(ck_vectors)->rotate(count, c, s, x, y);
}
