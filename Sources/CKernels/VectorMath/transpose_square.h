// Squares of 16-byte rows, transposed in registers.
#ifndef CK_TRANSPOSE_SQUARE_H
#define CK_TRANSPOSE_SQUARE_H

#include <stdint.h>

typedef float quad_f32 __attribute__((vector_size(16)));
typedef double quad_f64 __attribute__((vector_size(16)));
typedef float loose_quad_f32 __attribute__((vector_size(16), aligned(4), may_alias));
typedef double loose_quad_f64 __attribute__((vector_size(16), aligned(8), may_alias));

/// to[p * to_step + i] = from[i * across + p] for a square of 4 by 4.
static inline __attribute__((always_inline)) void transpose_square_f32(float *to, int64_t to_step, const float *from,
                                                                       int64_t across) {
    quad_f32 row[4], pair[4];
    for (int i = 0; i < 4; i++) row[i] = *(const loose_quad_f32 *)(from + i * across);
    for (int i = 0; i < 2; i++) {
        pair[2 * i] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 0, 4, 1, 5);
        pair[2 * i + 1] = __builtin_shufflevector(row[2 * i], row[2 * i + 1], 2, 6, 3, 7);
    }
    for (int i = 0; i < 2; i++) {
        float *at = to + 2 * i * to_step;
        *(loose_quad_f32 *)at = __builtin_shufflevector(pair[i], pair[2 + i], 0, 1, 4, 5);
        *(loose_quad_f32 *)(at + to_step) = __builtin_shufflevector(pair[i], pair[2 + i], 2, 3, 6, 7);
    }
}

/// The same for a square of 2 by 2.
static inline __attribute__((always_inline)) void transpose_square_f64(double *to, int64_t to_step, const double *from,
                                                                       int64_t across) {
    const quad_f64 first = *(const loose_quad_f64 *)from, second = *(const loose_quad_f64 *)(from + across);
    *(loose_quad_f64 *)to = __builtin_shufflevector(first, second, 0, 2);
    *(loose_quad_f64 *)(to + to_step) = __builtin_shufflevector(first, second, 1, 3);
}

#endif
