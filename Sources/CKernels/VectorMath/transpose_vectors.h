// A square of whole vectors, transposed in registers, for one element type and instruction set. Included after
// matmul_tile.h, with T, VECTOR_BYTES and NAME() defined. 16 bytes are a quad: 4 floats or 2 doubles.

typedef float NAME(floats) __attribute__((vector_size(VECTOR_BYTES)));
typedef double NAME(doubles) __attribute__((vector_size(VECTOR_BYTES)));

#define SIDE ((int)(16 / sizeof(T)))
#define QUADS (VECTOR_BYTES / 16)

#define SHUFFLE_FLOATS(a, b, ...)                                                                                    \
    (vector)__builtin_shufflevector((NAME(floats))(a), (NAME(floats))(b), __VA_ARGS__)
#define SHUFFLE_DOUBLES(a, b, ...)                                                                                   \
    (vector)__builtin_shufflevector((NAME(doubles))(a), (NAME(doubles))(b), __VA_ARGS__)

// Within each quad: the first or the last two floats of both in turn, the first or the last double of both.
#if VECTOR_BYTES == 64
#define FIRST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 0, 16, 1, 17, 4, 20, 5, 21, 8, 24, 9, 25, 12, 28, 13, 29)
#define LAST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 2, 18, 3, 19, 6, 22, 7, 23, 10, 26, 11, 27, 14, 30, 15, 31)
#define FIRST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 0, 8, 2, 10, 4, 12, 6, 14)
#define LAST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 1, 9, 3, 11, 5, 13, 7, 15)
#elif VECTOR_BYTES == 32
#define FIRST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define LAST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define FIRST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 0, 4, 2, 6)
#define LAST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 1, 5, 3, 7)
#else
#define FIRST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 0, 4, 1, 5)
#define LAST_FLOATS(a, b) SHUFFLE_FLOATS(a, b, 2, 6, 3, 7)
#define FIRST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 0, 2)
#define LAST_DOUBLES(a, b) SHUFFLE_DOUBLES(a, b, 1, 3)
#endif

/// The transpose of the square in each quad of SIDE vectors.
INLINE void NAME(transpose_quads)(vector x[SIDE]) {
    if (sizeof(T) == 4) {
        const vector first01 = FIRST_FLOATS(x[0], x[1]), last01 = LAST_FLOATS(x[0], x[1]);
        const vector first23 = FIRST_FLOATS(x[SIDE - 2], x[SIDE - 1]), last23 = LAST_FLOATS(x[SIDE - 2], x[SIDE - 1]);
        x[0] = FIRST_DOUBLES(first01, first23);
        x[1] = LAST_DOUBLES(first01, first23);
        x[SIDE - 2] = FIRST_DOUBLES(last01, last23);
        x[SIDE - 1] = LAST_DOUBLES(last01, last23);
    } else {
        const vector first = FIRST_DOUBLES(x[0], x[1]);
        x[1] = LAST_DOUBLES(x[0], x[1]);
        x[0] = first;
    }
}

/// Element j of vector i becomes element i of vector j.
INLINE void NAME(transpose_vectors)(vector x[LANES]) {
    UNROLL for (int group = 0; group < QUADS; group++) NAME(transpose_quads)(x + group * SIDE);
    UNROLL for (int j = 0; j < SIDE; j++) {
#if VECTOR_BYTES == 64
        const vector a = x[j], b = x[SIDE + j], c = x[2 * SIDE + j], d = x[3 * SIDE + j];
        const vector ab = SHUFFLE_DOUBLES(a, b, 0, 1, 2, 3, 8, 9, 10, 11), cd = SHUFFLE_DOUBLES(c, d, 0, 1, 2, 3, 8, 9, 10, 11);
        x[j] = SHUFFLE_DOUBLES(ab, cd, 0, 1, 4, 5, 8, 9, 12, 13);
        x[SIDE + j] = SHUFFLE_DOUBLES(ab, cd, 2, 3, 6, 7, 10, 11, 14, 15);
        const vector ab2 = SHUFFLE_DOUBLES(a, b, 4, 5, 6, 7, 12, 13, 14, 15);
        const vector cd2 = SHUFFLE_DOUBLES(c, d, 4, 5, 6, 7, 12, 13, 14, 15);
        x[2 * SIDE + j] = SHUFFLE_DOUBLES(ab2, cd2, 0, 1, 4, 5, 8, 9, 12, 13);
        x[3 * SIDE + j] = SHUFFLE_DOUBLES(ab2, cd2, 2, 3, 6, 7, 10, 11, 14, 15);
#elif VECTOR_BYTES == 32
        const vector a = x[j], b = x[SIDE + j];
        x[j] = SHUFFLE_DOUBLES(a, b, 0, 1, 4, 5);
        x[SIDE + j] = SHUFFLE_DOUBLES(a, b, 2, 3, 6, 7);
#endif
    }
}
