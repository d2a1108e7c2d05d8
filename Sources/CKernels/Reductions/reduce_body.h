/// The kernels of reduce_kernels.h for one element type: included by both_reals.h.

// MARK: Contiguous elements to one number

/// Eight accumulators, so that additions need not wait for one another.
#define DEFINE_LEAF(name, join, term, identity, filler)                                          \
    static double T(leaf_##name)(int64_t count, const void *x, double center)                    \
    {                                                                                            \
        (void)center;                                                                            \
        const REAL *in = x;                                                                      \
        f64v sum[8];                                                                             \
        for (int k = 0; k < 8; k++) sum[k] = splat_f64(identity);                                \
        int64_t i = 0;                                                                           \
        for (; i + 8 / PARTS * LANES <= count; i += 8 / PARTS * LANES)                           \
            for (int k = 0; k < 8; k += PARTS) {                                                 \
                T(doubles) v = T(widen)(T(load)(in + i + k / PARTS * LANES));                    \
                for (int h = 0; h < PARTS; h++) sum[k + h] = join(sum[k + h], term(v.part[h], center)); \
            }                                                                                    \
        for (; i < count; i += LANES) {                                                          \
            int whole = i + LANES <= count;                                                      \
            T(doubles) v = T(widen)(whole ? T(load)(in + i) : T(load_part)(in + i, count - i, (REAL)(filler))); \
            for (int h = 0; h < PARTS; h++) sum[h] = join(sum[h], term(v.part[h], center));      \
        }                                                                                        \
        int used = count < 8 / PARTS * LANES ? PARTS : 8;                                        \
        if (used == 8) {                                                                         \
            for (int k = 0; k < 4; k++) sum[k] = join(sum[k], sum[k + 4]);                       \
            for (int k = 0; k < 2; k++) sum[k] = join(sum[k], sum[k + 2]);                       \
        }                                                                                        \
        f64v lanes = used == 1 ? sum[0] : join(sum[0], sum[1]);                                  \
        for (int step = CK_F64_LANES / 2; step > 0; step /= 2) {                                 \
            f64v turned;                                                                         \
            for (int k = 0; k < CK_F64_LANES; k++) turned[k] = lanes[(k + step) % CK_F64_LANES]; \
            lanes = join(lanes, turned);                                                         \
        }                                                                                        \
        return lanes[0];                                                                         \
    }
DEFINE_LEAF(sum, PLUS, ITSELF, 0, 0)
DEFINE_LEAF(sum_squares, PLUS, SQUARE, 0, 0)
DEFINE_LEAF(sum_numbers, PLUS, NUMBER, 0, 0)
DEFINE_LEAF(product, TIMES, ITSELF, 1, 1)
DEFINE_LEAF(deviations, PLUS, DEVIATION, 0, center)

/// Extrema need no doubles.
#define DEFINE_EXTREMUM_LEAF(name, join, identity)                                               \
    static double T(leaf_##name)(int64_t count, const void *x, double center)                    \
    {                                                                                            \
        (void)center;                                                                            \
        const REAL *in = x;                                                                      \
        VECTOR best[4];                                                                          \
        for (int k = 0; k < 4; k++) best[k] = T(splat)(identity);                                \
        int64_t i = 0;                                                                           \
        for (; i + 4 * LANES <= count; i += 4 * LANES)                                           \
            for (int k = 0; k < 4; k++) best[k] = join(best[k], T(load)(in + i + k * LANES));    \
        for (; i < count; i += LANES) {                                                          \
            int whole = i + LANES <= count;                                                      \
            best[0] = join(best[0], whole ? T(load)(in + i) : T(load_part)(in + i, count - i, identity)); \
        }                                                                                        \
        VECTOR one = join(join(best[0], best[1]), join(best[2], best[3]));                       \
        for (int step = LANES / 2; step > 0; step /= 2) {                                        \
            VECTOR turned;                                                                       \
            for (int k = 0; k < LANES; k++) turned[k] = one[(k + step) % LANES];                 \
            one = join(one, turned);                                                             \
        }                                                                                        \
        return one[0];                                                                           \
    }
DEFINE_EXTREMUM_LEAF(maximum, T(max), -INFINITY)
DEFINE_EXTREMUM_LEAF(minimum, T(min), INFINITY)

// MARK: Rows into accumulators, one for each column

/// Vectors side by side, so that memory is read as it lies: as many as registers hold with their accumulators.
#if CK_VECTOR_BYTES == 64
#define FOLD_VECTORS 8
#else
#define FOLD_VECTORS 4
#endif

#define DEFINE_FOLD(name, join, term)                                                            \
    CK_INLINE void T(fold_vector_##name)(f64v *sum, const REAL *in, int64_t count, const f64v *center) \
    {                                                                                            \
        (void)center;                                                                            \
        T(doubles) v = T(widen)(count == LANES ? T(load)(in) : T(load_part)(in, count, 0));      \
        for (int h = 0; h < PARTS; h++) sum[h] = join(sum[h], term(v.part[h], center[h]));       \
    }                                                                                            \
    CK_INLINE void T(fold_strip_##name)(int vectors, int64_t count, int64_t rows, const REAL *in, int64_t row_stride, \
                                        double *accumulator, const double *center)               \
    {                                                                                            \
        f64v sum[FOLD_VECTORS][PARTS], middle[FOLD_VECTORS][PARTS];                              \
        for (int k = 0; k < vectors * PARTS; k++) {                                              \
            sum[k / PARTS][k % PARTS] = load_f64(accumulator + k * CK_F64_LANES);                \
            middle[k / PARTS][k % PARTS] = load_f64(center + k * CK_F64_LANES);                  \
        }                                                                                        \
        for (int64_t i = 0; i < rows; i++)                                                       \
            for (int v = 0; v < vectors; v++)                                                    \
                T(fold_vector_##name)(sum[v], in + i * row_stride + v * LANES, count, middle[v]); \
        for (int k = 0; k < vectors * PARTS; k++)                                                \
            store_f64(accumulator + k * CK_F64_LANES, sum[k / PARTS][k % PARTS]);                \
    }                                                                                            \
    static void T(fold_##name)(int64_t columns, int64_t rows, const void *x, int64_t row_stride, \
                               double *accumulator, const double *center)                        \
    {                                                                                            \
        const REAL *in = x;                                                                      \
        int64_t j = 0, strip = FOLD_VECTORS * LANES;                                             \
        for (; j + strip <= columns; j += strip)                                                 \
            T(fold_strip_##name)(FOLD_VECTORS, LANES, rows, in + j, row_stride, accumulator + j, center + j); \
        for (; j + strip / 2 <= columns; j += strip / 2)                                         \
            T(fold_strip_##name)(FOLD_VECTORS / 2, LANES, rows, in + j, row_stride, accumulator + j, center + j); \
        for (; j + LANES <= columns; j += LANES)                                                 \
            T(fold_strip_##name)(1, LANES, rows, in + j, row_stride, accumulator + j, center + j); \
        if (j < columns)                                                                         \
            T(fold_strip_##name)(1, columns - j, rows, in + j, row_stride, accumulator + j, center + j); \
    }
DEFINE_FOLD(sum, PLUS, ITSELF)
DEFINE_FOLD(sum_squares, PLUS, SQUARE)
DEFINE_FOLD(sum_numbers, PLUS, NUMBER)
DEFINE_FOLD(product, TIMES, ITSELF)
DEFINE_FOLD(deviations, PLUS, DEVIATION)
DEFINE_FOLD(maximum, max_f64, ITSELF)
DEFINE_FOLD(minimum, min_f64, ITSELF)

// MARK: Where the extremum is

/// A later element wins if it is beyond the best so far, or the first NaN.
#define DEFINE_ARG_FOLD(name, beyond)                                                            \
    static void T(name)(int64_t columns, int64_t rows, const void *x, int64_t row_stride, int64_t first, \
                        double *extremum, int64_t *position)                                     \
    {                                                                                            \
        for (int64_t j = 0; j < columns; j += LANES) {                                           \
            const REAL *in = (const REAL *)x + j;                                                \
            int64_t count = columns - j < LANES ? columns - j : LANES;                           \
            VECTOR best;                                                                         \
            for (int k = 0; k < LANES; k++) best[k] = k < count ? (REAL)extremum[j + k] : 0;     \
            INTEGERS where = -1;                                                                 \
            for (int64_t i = 0; i < rows; i++) {                                                 \
                const REAL *row = in + i * row_stride;                                           \
                VECTOR value = count == LANES ? T(load)(row) : T(load_part)(row, count, 0);      \
                INTEGERS wins = (value beyond best) | ((value != value) & (best == best));       \
                best = wins ? value : best;                                                      \
                where = wins ? (INTEGERS)(REAL_INTEGER)i : where;                                \
            }                                                                                    \
            for (int k = 0; k < count; k++) {                                                    \
                if (where[k] < 0) continue;                                                      \
                extremum[j + k] = best[k];                                                       \
                position[j + k] = first + where[k];                                              \
            }                                                                                    \
        }                                                                                        \
    }
#define REAL_INTEGER __typeof__(((INTEGERS)0)[0])
DEFINE_ARG_FOLD(arg_maximum, >)
DEFINE_ARG_FOLD(arg_minimum, <)
#undef REAL_INTEGER

#undef DEFINE_LEAF
#undef DEFINE_EXTREMUM_LEAF
#undef DEFINE_FOLD
#undef DEFINE_ARG_FOLD
#undef FOLD_VECTORS
