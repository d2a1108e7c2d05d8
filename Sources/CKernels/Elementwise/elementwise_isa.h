/// Everything elementwise for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "elementwise_kernels.h"
#include "vector_math_division.h"

typedef uint8_t bytes_f32 __attribute__((ext_vector_type(CK_F32_LANES)));
typedef uint8_t bytes_f64 __attribute__((ext_vector_type(CK_F64_LANES)));

#define BODY "elementwise_body.h"
#include "both_reals.h"

// MARK: The 16-bit floats

typedef uint16_t u16v __attribute__((ext_vector_type(CK_F32_LANES)));

CK_INLINE f32v float_from_float16(u16v x)
{
    u32v bits = __builtin_convertvector(x, u32v), magnitude = (bits & 0x7fff) << 13;
    // Puts the exponent right, of subnormal numbers too.
    u32v finite = AS(u32v, AS(f32v, magnitude) * 0x1p112f);
    return AS(f32v, ((bits & 0x7fff) >= 0x7c00 ? (magnitude | 0x7f800000) : finite) | (bits & 0x8000) << 16);
}
CK_INLINE f32v float_from_bfloat16(u16v x) { return AS(f32v, __builtin_convertvector(x, u32v) << 16); }

// To nearest, half to even; NaN stays NaN.
CK_INLINE u16v float16_from_float(f32v x)
{
    u32v bits = AS(u32v, x), magnitude = bits & 0x7fffffff;
    u32v normal = (magnitude - (112u << 23) + 0xfff + (magnitude >> 13 & 1)) >> 13;
    // Adding 0.5 rounds to a multiple of 2^-24.
    u32v small = AS(u32v, AS(f32v, magnitude) + 0.5f) - 0x3f000000;
    u32v finite = magnitude < 0x38800000 ? small : normal;
    u32v infinite = magnitude > 0x7f800000 ? (u32v)0x7e00 : (u32v)0x7c00;
    return __builtin_convertvector((magnitude >= 0x47800000 ? infinite : finite) | (bits >> 16 & 0x8000), u16v);
}
CK_INLINE u16v bfloat16_from_float(f32v x)
{
    u32v bits = AS(u32v, x), rounded = bits + 0x7fff + (bits >> 16 & 1);
    return __builtin_convertvector((x != x ? bits | 0x400000 : rounded) >> 16, u16v);
}

#define DEFINE_CONVERSION(name, out_type, out_vector, in_type, in_vector)                        \
    static void convert_##name(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        out_type *out = p[0];                                                                    \
        const in_type *in = p[1];                                                                \
        in_vector x = {0};                                                                       \
        out_vector y;                                                                            \
        int64_t i = 0;                                                                           \
        for (; i + CK_F32_LANES <= count; i += CK_F32_LANES) {                                   \
            memcpy(&x, in + i, sizeof x);                                                        \
            y = name(x);                                                                         \
            memcpy(out + i, &y, sizeof y);                                                       \
        }                                                                                        \
        if (i == count) return;                                                                  \
        memcpy(&x, in + i, (size_t)(count - i) * sizeof *in);                                    \
        y = name(x);                                                                             \
        memcpy(out + i, &y, (size_t)(count - i) * sizeof *out);                                  \
    }
DEFINE_CONVERSION(float_from_float16, float, f32v, uint16_t, u16v)
DEFINE_CONVERSION(float_from_bfloat16, float, f32v, uint16_t, u16v)
DEFINE_CONVERSION(float16_from_float, uint16_t, u16v, float, f32v)
DEFINE_CONVERSION(bfloat16_from_float, uint16_t, u16v, float, f32v)

// MARK: Selection, whatever the elements mean

#define DEFINE_SELECT(bits)                                                                      \
    typedef uint##bits##_t select_vector_##bits __attribute__((ext_vector_type(CK_VECTOR_BYTES * 8 / bits))); \
    typedef uint8_t condition_vector_##bits __attribute__((ext_vector_type(CK_VECTOR_BYTES * 8 / bits))); \
    static void select_##bits(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        typedef uint##bits##_t element;                                                          \
        typedef select_vector_##bits vector;                                                     \
        const int64_t lanes = CK_VECTOR_BYTES * 8 / bits;                                        \
        element *out = p[0];                                                                     \
        const uint8_t *condition = p[1];                                                         \
        const element *a = p[2], *b = p[3];                                                      \
        int one_a = broadcast >> 2 & 1, one_b = broadcast >> 3 & 1;                              \
        vector yes = (vector)*a, no = (vector)*b;                                                \
        int64_t i = 0;                                                                           \
        for (; i + lanes <= count; i += lanes) {                                                 \
            condition_vector_##bits flags;                                                       \
            memcpy(&flags, condition + i, sizeof flags);                                         \
            if (!one_a) memcpy(&yes, a + i, sizeof yes);                                         \
            if (!one_b) memcpy(&no, b + i, sizeof no);                                           \
            vector mask = (vector)(__builtin_convertvector(flags, vector) != 0);                 \
            vector picked = (yes & mask) | (no & ~mask);                                         \
            memcpy(out + i, &picked, sizeof picked);                                             \
        }                                                                                        \
        element one_yes = *a, one_no = *b;                                                       \
        for (; i < count; i++)                                                                   \
            out[i] = condition[i] ? (one_a ? one_yes : a[i]) : (one_b ? one_no : b[i]);          \
    }
DEFINE_SELECT(8)
DEFINE_SELECT(16)
DEFINE_SELECT(32)
DEFINE_SELECT(64)

// MARK: The table

#define UNARY_KERNELS(type)                                                                      \
    {                                                                                            \
        [CK_NEG] = unary_neg##type, [CK_ABS] = unary_abs##type, [CK_SIGN] = unary_sign##type,    \
        [CK_SQUARE] = unary_square##type, [CK_CUBE] = unary_cube##type, [CK_SQRT] = unary_sqrt##type, [CK_RSQRT] = unary_rsqrt##type, \
        [CK_RECIPROCAL] = unary_reciprocal##type, [CK_INVERSE_SQUARE] = unary_inverse_square##type, [CK_EXP] = unary_exp##type, [CK_EXP2] = unary_exp2##type, \
        [CK_EXPM1] = unary_expm1##type, [CK_LOG] = unary_log##type, [CK_LOG2] = unary_log2##type, \
        [CK_LOG10] = unary_log10##type, [CK_LOG1P] = unary_log1p##type, [CK_SIN] = unary_sin##type, \
        [CK_COS] = unary_cos##type, [CK_TAN] = unary_tan##type, [CK_ASIN] = unary_asin##type,    \
        [CK_ACOS] = unary_acos##type, [CK_ATAN] = unary_atan##type, [CK_SINH] = unary_sinh##type, \
        [CK_COSH] = unary_cosh##type, [CK_TANH] = unary_tanh##type, [CK_ASINH] = unary_asinh##type, \
        [CK_ACOSH] = unary_acosh##type, [CK_ATANH] = unary_atanh##type, [CK_SIGMOID] = unary_sigmoid##type, \
        [CK_ERF] = unary_erf##type, [CK_ERFC] = unary_erfc##type, [CK_ERFINV] = unary_erfinv##type, \
        [CK_LGAMMA] = unary_lgamma##type, [CK_DIGAMMA] = unary_digamma##type,                    \
        [CK_FLOOR] = unary_floor##type, [CK_CEIL] = unary_ceil##type, \
        [CK_ROUND] = unary_round##type, [CK_TRUNC] = unary_trunc##type, [CK_RELU] = unary_relu##type, \
        [CK_GELU] = unary_gelu##type, [CK_GELU_TANH] = unary_gelu_tanh##type, [CK_SILU] = unary_silu##type, \
        [CK_SOFTPLUS] = unary_softplus##type,                                                    \
    }
#define BINARY_KERNELS(type)                                                                     \
    {                                                                                            \
        [CK_ADD] = binary_add##type, [CK_SUB] = binary_sub##type, [CK_MUL] = binary_mul##type,   \
        [CK_DIV] = binary_div##type, [CK_POW] = binary_power##type, [CK_MAXIMUM] = binary_maximum##type, \
        [CK_MINIMUM] = binary_minimum##type, [CK_ATAN2] = binary_atan2##type, [CK_HYPOT] = binary_hypot##type, \
        [CK_FMOD] = binary_fmod##type, [CK_REMAINDER] = binary_remainder##type,                  \
        [CK_FLOOR_DIVIDE] = binary_floor_divide##type, [CK_TRUNC_DIVIDE] = binary_trunc_divide##type, \
        [CK_XLOGY] = binary_xlogy##type, [CK_LOG_ADD_EXP] = binary_log_add_exp##type,            \
        [CK_PRELU] = binary_prelu##type, [CK_RELU_GRAD] = binary_relu_grad##type,                \
        [CK_TANH_GRAD] = binary_tanh_grad##type, [CK_SIGMOID_GRAD] = binary_sigmoid_grad##type,  \
        [CK_GELU_GRAD] = binary_gelu_grad##type, [CK_GELU_TANH_GRAD] = binary_gelu_tanh_grad##type, \
        [CK_SILU_GRAD] = binary_silu_grad##type,                                                 \
    }
#define WITH_SLOPE_KERNELS(type)                                                                 \
    {                                                                                            \
        [CK_GELU] = with_slope_gelu##type, [CK_GELU_TANH] = with_slope_gelu_tanh##type,          \
        [CK_SILU] = with_slope_silu##type,                                                       \
    }
#define COMPARE_KERNELS(type)                                                                    \
    {                                                                                            \
        [CK_EQ] = compare_eq##type, [CK_NE] = compare_ne##type, [CK_LT] = compare_lt##type,      \
        [CK_LE] = compare_le##type, [CK_GT] = compare_gt##type, [CK_GE] = compare_ge##type,      \
    }

const ck_elementwise_kernels KERNELS = {
    .unary = {UNARY_KERNELS(_f32), UNARY_KERNELS(_f64)},
    .with_slope = {WITH_SLOPE_KERNELS(_f32), WITH_SLOPE_KERNELS(_f64)},
    .binary = {BINARY_KERNELS(_f32), BINARY_KERNELS(_f64)},
    .compare = {COMPARE_KERNELS(_f32), COMPARE_KERNELS(_f64)},
    .muladd = {muladd_f32, muladd_f64},
    .clamp = {unary_clamp_f32, unary_clamp_f64},
    .clamp_grad = {binary_clamp_grad_f32, binary_clamp_grad_f64},
    .nan_to_num = {unary_nan_to_num_f32, unary_nan_to_num_f64},
    .convert = {
        [CK_FLOAT_FROM_FLOAT16] = convert_float_from_float16, [CK_FLOAT_FROM_BFLOAT16] = convert_float_from_bfloat16,
        [CK_FLOAT16_FROM_FLOAT] = convert_float16_from_float, [CK_BFLOAT16_FROM_FLOAT] = convert_bfloat16_from_float,
    },
    .select = {select_8, select_16, select_32, select_64},
};
