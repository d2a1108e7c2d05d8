// ReLU of what is about to be stored. Included behind matmul_tile.h.

typedef int32_t NAME(flags) __attribute__((vector_size(VECTOR_BYTES)));

/// x with zeros for what is less when `rectified`; -0 and NaN stay, as in CK_RELU.
INLINE vector NAME(rectify)(vector x, int rectified) {
    return (vector)((NAME(flags))x & ~((NAME(flags))(x < (vector){0}) & -rectified));
}
