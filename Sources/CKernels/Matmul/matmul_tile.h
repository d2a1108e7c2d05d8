// The innermost loops, for one element type and instruction set. Included with T, VECTOR_BYTES, MAX_ROWS and
// NAME() defined.

#define LANES ((int64_t)(VECTOR_BYTES / sizeof(T)))
#define VECTORS 2
#define PANEL (VECTORS * LANES)
#define WIDE_VECTORS 3

typedef T NAME(vector) __attribute__((vector_size(VECTOR_BYTES)));
typedef T NAME(loose) __attribute__((vector_size(VECTOR_BYTES), aligned(sizeof(T)), may_alias));
#define vector NAME(vector)
#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

INLINE vector NAME(load)(const T *from) { return *(const NAME(loose) *)from; }
INLINE void NAME(store)(T *to, vector x) { *(NAME(loose) *)to = x; }

/// The first `count` lanes (1..<LANES) from memory, the others 0.
INLINE vector NAME(load_some)(const T *from, int64_t count) {
#ifdef MASKED_LOAD
    return (vector)MASKED_LOAD(from, count);
#else
    vector x = {0};
    for (int64_t lane = 0; lane < count; lane++) x[lane] = from[lane];
    return x;
#endif
}

INLINE void NAME(store_some)(T *to, vector x, int64_t count) {
#ifdef MASKED_STORE
    MASKED_STORE(to, x, count);
#else
    for (int64_t lane = 0; lane < count; lane++) to[lane] = x[lane];
#endif
}

/// Keeps the compiler from loading the rows of A all in front, which would take more registers than there are: what is
/// above happens before what is below.
#if defined(__x86_64__)
#define KEEP_ORDER(sum) __asm__ volatile("" : "+v"(sum)::"memory")
#elif defined(__aarch64__)
#define KEEP_ORDER(sum) __asm__ volatile("" : "+w"(sum)::"memory")
#else
#define KEEP_ORDER(sum) (void)0
#endif

/// C = alpha A B + start for a tile of `rows` by `vectors` vectors that lives in registers. A lies in rows, `a_step` apart, or
/// is packed: `rows` elements for each k, `a_step` apart. `start` is null, C itself, or what else lies in rows. All the
/// sizes but k are constants at each place of use.
INLINE void NAME(tile_body)(const int rows, const int vectors, const int packed, int64_t k, const T *a, int64_t a_step,
                            const T *b, int64_t b_row, T *c, int64_t c_row, T alpha, const T *start,
                            int64_t start_row) {
    vector sum[MAX_ROWS][WIDE_VECTORS];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
        __builtin_prefetch(c + i * c_row, 1);
        UNROLL for (int v = 2; v <= vectors; v++) __builtin_prefetch(c + i * c_row + v * LANES - 1, 1);
    }
    // One pointer for three rows: there are not enough registers for one each.
    const T *group[(MAX_ROWS + 2) / 3];
    UNROLL for (int g = 0; g < (rows + 2) / 3; g++) group[g] = a + 3 * g * a_step;
    _Pragma("clang loop unroll_count(2)") for (int64_t p = 0; p < k; p++) {
        vector from_b[WIDE_VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) from_b[v] = NAME(load)(b + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const T from_a = packed ? a[p * a_step + i] : group[i / 3][p + i % 3 * a_step];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += from_a * from_b[v];
            if (rows * vectors >= 12) UNROLL for (int v = 0; v < vectors; v++) KEEP_ORDER(sum[i][v]);
        }
        b += b_row;
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            const vector product = alpha * sum[i][v];
            NAME(store)(c + i * c_row + v * LANES,
                        start ? product + NAME(load)(start + i * start_row + v * LANES) : product);
        }
    }
}

typedef void NAME(tile)(int64_t k, const T *a, int64_t a_step, const T *b, int64_t b_row, T *c, int64_t c_row, T alpha,
                        const T *start, int64_t start_row);

#define TILE(rows, vectors, packed)                                                                                  \
    static void NAME(tile_##rows##_##vectors##_##packed)(int64_t k, const T *a, int64_t a_step, const T *b,          \
                                                         int64_t b_row, T *c, int64_t c_row, T alpha,                \
                                                         const T *start, int64_t start_row) {                        \
        NAME(tile_body)(rows, vectors, packed, k, a, a_step, b, b_row, c, c_row, alpha, start, start_row);           \
    }
#define TILES(rows) TILE(rows, 1, 0) TILE(rows, 1, 1) TILE(rows, 2, 0) TILE(rows, 2, 1)
#define ENTRY(rows)                                                                                                  \
    {{NAME(tile_##rows##_1_0), NAME(tile_##rows##_1_1)}, {NAME(tile_##rows##_2_0), NAME(tile_##rows##_2_1)}}

TILES(1) TILES(2) TILES(3) TILES(4) TILES(5)
#if MAX_ROWS > 5
TILES(6)
#endif
#if MAX_ROWS > 6
TILES(7) TILES(8)
#endif
#if MAX_ROWS > 8
TILES(9) TILES(10) TILES(11) TILES(12) TILES(13) TILES(14)
#endif

/// By rows - 1, vectors - 1, packed.
static NAME(tile) *const NAME(tiles)[MAX_ROWS][VECTORS][2] = {
    ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4), ENTRY(5),
#if MAX_ROWS > 5
    ENTRY(6),
#endif
#if MAX_ROWS > 6
    ENTRY(7), ENTRY(8),
#endif
#if MAX_ROWS > 8
    ENTRY(9), ENTRY(10), ENTRY(11), ENTRY(12), ENTRY(13), ENTRY(14),
#endif
};
