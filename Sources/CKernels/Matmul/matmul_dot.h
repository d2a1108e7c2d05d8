// Dot products, for one element type and instruction set. Included by matmul_block.h after matmul_tile.h, with DOT_ROWS
// defined.

/// The sum of the lanes, by halves.
INLINE T NAME(sum_lanes)(vector x) {
    UNROLL for (int half = VECTOR_BYTES / sizeof(T) / 2; half > 0; half /= 2) {
        UNROLL for (int lane = 0; lane < half; lane++) x[lane] += x[lane + half];
    }
    return x[0];
}

/// to[i][j] = alpha times the dot product of row i of A and column j of B, both contiguous.
INLINE void NAME(dot_body)(const int rows, const int columns, int64_t k, const T *a, int64_t a_row, const T *b,
                           int64_t b_column, T *to, int64_t to_row, T alpha) {
    vector sum[DOT_ROWS][4];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < columns; j++) sum[i][j] = (vector){0};
    }
    int64_t p = 0;
    _Pragma("clang loop unroll_count(2)") for (; p + LANES <= k; p += LANES) {
        vector from_a[DOT_ROWS];
        UNROLL for (int i = 0; i < rows; i++) from_a[i] = NAME(load)(a + i * a_row + p);
        UNROLL for (int j = 0; j < columns; j++) {
            const vector from_b = NAME(load)(b + j * b_column + p);
            UNROLL for (int i = 0; i < rows; i++) sum[i][j] += from_a[i] * from_b;
        }
    }
    if (p < k) {
        vector from_a[DOT_ROWS];
        UNROLL for (int i = 0; i < rows; i++) from_a[i] = NAME(load_some)(a + i * a_row + p, k - p);
        UNROLL for (int j = 0; j < columns; j++) {
            const vector from_b = NAME(load_some)(b + j * b_column + p, k - p);
            UNROLL for (int i = 0; i < rows; i++) sum[i][j] += from_a[i] * from_b;
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int j = 0; j < columns; j++) to[i * to_row + j] = alpha * NAME(sum_lanes)(sum[i][j]);
    }
}

typedef void NAME(dot)(int64_t k, const T *a, int64_t a_row, const T *b, int64_t b_column, T *to, int64_t to_row,
                       T alpha);

#define DOT(rows, columns)                                                                                           \
    static void NAME(dot_##rows##_##columns)(int64_t k, const T *a, int64_t a_row, const T *b, int64_t b_column,     \
                                             T *to, int64_t to_row, T alpha) {                                       \
        NAME(dot_body)(rows, columns, k, a, a_row, b, b_column, to, to_row, alpha);                                  \
    }
#define DOTS(rows) DOT(rows, 1) DOT(rows, 2) DOT(rows, 3) DOT(rows, 4)
#define DOT_ENTRY(rows) {NAME(dot_##rows##_1), NAME(dot_##rows##_2), NAME(dot_##rows##_3), NAME(dot_##rows##_4)}
DOTS(1) DOTS(2)
#if DOT_ROWS == 4
DOTS(3) DOTS(4)
#endif

/// By rows - 1, columns - 1.
static NAME(dot) *const NAME(dots)[DOT_ROWS][4] = {
    DOT_ENTRY(1), DOT_ENTRY(2),
#if DOT_ROWS == 4
    DOT_ENTRY(3), DOT_ENTRY(4),
#endif
};
