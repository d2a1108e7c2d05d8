/// The loops of ck_vectors.h for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "vectors_kernels.h"
#include "vector_math.h"

#define DOT_VECTORS 4   // chains of additions side by side

static double vectors_dot(int64_t count, const double *x, const double *y)
{
    f64v sums[DOT_VECTORS];
    for (int v = 0; v < DOT_VECTORS; v++) sums[v] = splat_f64(0);
    int64_t i = 0;
    for (; i + DOT_VECTORS * CK_F64_LANES <= count; i += DOT_VECTORS * CK_F64_LANES)
        for (int v = 0; v < DOT_VECTORS; v++)
            sums[v] = MADD(load_f64(x + i + v * CK_F64_LANES), load_f64(y + i + v * CK_F64_LANES), sums[v]);
    f64v all = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    for (; i + CK_F64_LANES <= count; i += CK_F64_LANES) all = MADD(load_f64(x + i), load_f64(y + i), all);
    double lanes[CK_F64_LANES], sum = 0;
    store_f64(lanes, all);
    for (int lane = 0; lane < CK_F64_LANES; lane++) sum += lanes[lane];
    for (; i < count; i++) sum += x[i] * y[i];
    return sum;
}

static void vectors_add(int64_t count, double factor, const double *x, double *y)
{
    const f64v factors = splat_f64(factor);
    int64_t i = 0;
    for (; i + CK_F64_LANES <= count; i += CK_F64_LANES) store_f64(y + i, MADD(factors, load_f64(x + i), load_f64(y + i)));
    for (; i < count; i++) y[i] += factor * x[i];
}

static void vectors_rotate(int64_t count, double c, double s, double *x, double *y)
{
    const f64v cosines = splat_f64(c), sines = splat_f64(s);
    int64_t i = 0;
    for (; i + CK_F64_LANES <= count; i += CK_F64_LANES) {
        const f64v a = load_f64(x + i), b = load_f64(y + i);
        store_f64(x + i, MADD(cosines, a, sines * b));
        store_f64(y + i, cosines * b - sines * a);
    }
    for (; i < count; i++) {
        const double a = x[i], b = y[i];
        x[i] = c * a + s * b;
        y[i] = c * b - s * a;
    }
}

const ck_vectors_kernels KERNELS = {.dot = vectors_dot, .add = vectors_add, .rotate = vectors_rotate};

#undef DOT_VECTORS
