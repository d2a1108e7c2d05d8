#ifndef CK_ELEMENTWISE_H
#define CK_ELEMENTWISE_H

#include <stdint.h>

#define CK_MAX_RANK 8

/// A loop nest over one output and up to three inputs: `shape`, outermost first, and for each operand (0 is the
/// output) its strides in elements. A broadcast input has stride 0. The output never overlaps itself. An input may be
/// the very same memory as the output with the same strides (in place). Rank 0 is one element. The callers have
/// already dropped axes of size 1 and merged axes that can be merged.
typedef struct ck_loop {
    int32_t rank;
    int64_t shape[CK_MAX_RANK];
    int64_t strides[4][CK_MAX_RANK];
} ck_loop;

/// One run of `count` elements; the stride of an input is 1, or 0 for a single number. Leaves unset what a run does not use: filling the
/// whole description would cost a small tensor more than its arithmetic.
static inline ck_loop ck_loop_run(int64_t count, int64_t first, int64_t second, int64_t third) {
    ck_loop loop;
    loop.rank = 1;
    loop.shape[0] = count;
    loop.strides[0][0] = 1;
    loop.strides[1][0] = first;
    loop.strides[2][0] = second;
    loop.strides[3][0] = third;
    return loop;
}

typedef enum ck_unary {
    CK_NEG, CK_ABS, CK_SIGN /* 0 for NaN */, CK_SQUARE, CK_CUBE, CK_SQRT, CK_RSQRT, CK_RECIPROCAL, CK_INVERSE_SQUARE,
    CK_EXP, CK_EXP2, CK_EXPM1, CK_LOG, CK_LOG2, CK_LOG10, CK_LOG1P,
    CK_SIN, CK_COS, CK_TAN, CK_ASIN, CK_ACOS, CK_ATAN, CK_SINH, CK_COSH, CK_TANH, CK_ASINH, CK_ACOSH, CK_ATANH,
    CK_SIGMOID, CK_ERF, CK_ERFC, CK_ERFINV, CK_LGAMMA /* log |Gamma(x)| */, CK_DIGAMMA /* its derivative */,
    CK_FLOOR, CK_CEIL, CK_ROUND /* half to even */, CK_TRUNC,
    CK_RELU /* NaN stays NaN */, CK_GELU /* x Phi(x), erf */, CK_GELU_TANH, CK_SILU, CK_SOFTPLUS /* log(1 + e^x) */,
    CK_UNARY_COUNT
} ck_unary;

/// out = f(a, b). The `_GRAD` ones take (dy, kept) and answer dx.
typedef enum ck_binary {
    CK_ADD, CK_SUB, CK_MUL, CK_DIV, CK_POW, CK_MAXIMUM, CK_MINIMUM, /* a NaN wins */
    CK_ATAN2, CK_HYPOT, CK_FMOD /* sign of a */, CK_REMAINDER /* sign of b */, CK_FLOOR_DIVIDE, CK_TRUNC_DIVIDE,
    CK_XLOGY /* a log b, 0 for a = 0 */, CK_LOG_ADD_EXP /* log(e^a + e^b) */, CK_PRELU /* a > 0 ? a : a b */,
    CK_RELU_GRAD /* kept <= 0 ? 0 : dy: a NaN passes it on */, CK_TANH_GRAD /* kept y */, CK_SIGMOID_GRAD /* kept y */,
    CK_GELU_GRAD /* kept x */, CK_GELU_TANH_GRAD /* kept x */, CK_SILU_GRAD /* kept x */,
    CK_BINARY_COUNT
} ck_binary;

typedef enum ck_comparison { CK_EQ, CK_NE, CK_LT, CK_LE, CK_GT, CK_GE, CK_COMPARISON_COUNT } ck_comparison;

void ck_unary_f32(ck_unary op, const ck_loop *loop, float *out, const float *x);
void ck_unary_f64(ck_unary op, const ck_loop *loop, double *out, const double *x);
/// value = f(x) and slope = f'(x) with the work they share done once, for CK_GELU, CK_GELU_TANH and CK_SILU; operands value, slope, x.
/// The same bits as the operation's and, times dy, as its gradient's. `x` may be the memory of either result.
void ck_with_slope_f32(ck_unary op, const ck_loop *loop, float *value, float *slope, const float *x);
void ck_with_slope_f64(ck_unary op, const ck_loop *loop, double *value, double *slope, const double *x);
void ck_binary_f32(ck_binary op, const ck_loop *loop, float *out, const float *a, const float *b);
void ck_binary_f64(ck_binary op, const ck_loop *loop, double *out, const double *a, const double *b);
/// out = 1 where the comparison holds, else 0.
void ck_compare_f32(ck_comparison op, const ck_loop *loop, uint8_t *out, const float *a, const float *b);
void ck_compare_f64(ck_comparison op, const ck_loop *loop, uint8_t *out, const double *a, const double *b);
/// out = a + scale * b * c (one rounding fewer than three passes; addcmul, and axpy with a broadcast c = 1).
void ck_muladd_f32(const ck_loop *loop, float *out, const float *a, const float *b, const float *c, float scale);
void ck_muladd_f64(const ck_loop *loop, double *out, const double *a, const double *b, const double *c, double scale);

/// out = x brought between two bounds; infinite ones stand for none, the upper one wins where they are crossed, NaN stays.
void ck_clamp_f32(const ck_loop *loop, float *out, const float *x, double lower, double upper);
void ck_clamp_f64(const ck_loop *loop, double *out, const double *x, double lower, double upper);
/// out = x, but `numbers` for NaN, infinity and -infinity.
void ck_nan_to_num_f32(const ck_loop *loop, float *out, const float *x, const double numbers[3]);
void ck_nan_to_num_f64(const ck_loop *loop, double *out, const double *x, const double numbers[3]);
/// out = dy where lower < x < upper, else 0.
void ck_clamp_grad_f32(const ck_loop *loop, float *out, const float *dy, const float *x, double lower, double upper);
void ck_clamp_grad_f64(const ck_loop *loop, double *out, const double *dy, const double *x, double lower, double upper);

/// The 16-bit floats, as bits, to float and back: rounded to nearest, half to even, overflow to infinity. Never in place.
typedef enum ck_conversion {
    CK_FLOAT_FROM_FLOAT16, CK_FLOAT_FROM_BFLOAT16, CK_FLOAT16_FROM_FLOAT, CK_BFLOAT16_FROM_FLOAT, CK_CONVERSION_COUNT
} ck_conversion;
void ck_convert(ck_conversion op, const ck_loop *loop, void *out, const void *x);

/// Moves elements of a width in bytes of 1, 2, 4 or 8 whatever they mean: out = x. Transposes go tile by tile.
void ck_copy(int width, const ck_loop *loop, void *out, const void *x);
/// out = condition != 0 ? a : b, elements of a width of 1, 2, 4 or 8 bytes; operands out, condition (bytes), a, b.
void ck_select(int width, const ck_loop *loop, void *out, const uint8_t *condition, const void *a, const void *b);

#endif
