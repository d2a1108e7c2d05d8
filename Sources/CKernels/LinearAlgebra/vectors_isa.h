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

#define STRIP_VECTORS 4

/// All runs on rows of `vectors` vectors, one behind the other. A row stays in registers until the next one has met it.
CK_INLINE void rotate_strip(double *x, int64_t vectors, int64_t length, const double *turns)
{
    const int64_t step = vectors * CK_F64_LANES;
    for (const double *end = turns + length; turns < end;) {
        double *row = x + (int64_t)turns[0] * step;
        f64v upper[STRIP_VECTORS];
        for (int v = 0; v < vectors; v++) upper[v] = load_f64(row + v * CK_F64_LANES);
        const double *last = turns + 2 * (int64_t)turns[1];
        for (; turns < last; row += step) {
            turns += 2;
            const f64v cosines = splat_f64(turns[0]), sines = splat_f64(turns[1]);
            for (int v = 0; v < vectors; v++) {
                const f64v lower = load_f64(row + step + v * CK_F64_LANES);
                store_f64(row + v * CK_F64_LANES, MADD(cosines, upper[v], sines * lower));
                upper[v] = NMADD(sines, upper[v], cosines * lower);
            }
        }
        for (int v = 0; v < vectors; v++) store_f64(row + v * CK_F64_LANES, upper[v]);
        turns += 2;
    }
}

static void vectors_rotate_rows(int64_t rows, int64_t columns, double *x, int64_t length, const double *turns, double *scratch)
{
    for (int64_t i = 0, count; i < columns; i += count) {
        const int is_wide = columns - i >= STRIP_VECTORS * CK_F64_LANES;
        const int64_t step = (is_wide ? STRIP_VECTORS : 1) * CK_F64_LANES;
        count = columns - i < step ? columns - i : step;
        for (int64_t row = 0; row < rows; row++) {
            memcpy(scratch + row * step, x + row * columns + i, (size_t)count * sizeof(double));
            for (int64_t k = count; k < step; k++) scratch[row * step + k] = 0;
        }
        if (is_wide) rotate_strip(scratch, STRIP_VECTORS, length, turns);
        else rotate_strip(scratch, 1, length, turns);
        for (int64_t row = 0; row < rows; row++)
            memcpy(x + row * columns + i, scratch + row * step, (size_t)count * sizeof(double));
    }
}

const ck_vectors_kernels KERNELS = {
    .dot = vectors_dot, .add = vectors_add, .rotate_rows = vectors_rotate_rows,
};

#undef DOT_VECTORS
#undef STRIP_VECTORS
