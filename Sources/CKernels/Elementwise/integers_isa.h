/// Integers for one instruction set: plain loops that the compiler makes vectors of. Included with KERNELS, the name of the table.
#include "integers_kernels.h"

#define MAY_BE_IN_PLACE _Pragma("clang loop vectorize(assume_safety)")

// MARK: Pairs. Arithmetic is done unsigned, where it may wrap around; `u` is the unsigned type, at least as wide as int.

#define DEFINE_PAIRS(name, result, type, u, expression)                                          \
    static void name(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        result *out = p[0];                                                                      \
        const type *left = p[1], *right = p[2], one_left = *left, one_right = *right;            \
        if (broadcast & 2) {                                                                     \
            MAY_BE_IN_PLACE for (int64_t i = 0; i < count; i++) {                                \
                type a = one_left, b = (broadcast & 4) ? one_right : right[i];                   \
                (void)b;                                                                         \
                out[i] = (result)(expression);                                                   \
            }                                                                                    \
        } else if (broadcast & 4) {                                                              \
            MAY_BE_IN_PLACE for (int64_t i = 0; i < count; i++) {                                \
                type a = left[i], b = one_right;                                                 \
                (void)b;                                                                         \
                out[i] = (result)(expression);                                                   \
            }                                                                                    \
        } else {                                                                                 \
            MAY_BE_IN_PLACE for (int64_t i = 0; i < count; i++) {                                \
                type a = left[i], b = right[i];                                                  \
                (void)b;                                                                         \
                out[i] = (result)(expression);                                                   \
            }                                                                                    \
        }                                                                                        \
    }

#define IS_INSIDE(b, type) ((b) >= 0 && (uint64_t)(b) < 8 * sizeof(type))

#define DEFINE_INTEGER(type, suffix, u)                                                          \
    DEFINE_PAIRS(add_##suffix, type, type, u, (u)a + (u)b)                                       \
    DEFINE_PAIRS(sub_##suffix, type, type, u, (u)a - (u)b)                                       \
    DEFINE_PAIRS(mul_##suffix, type, type, u, (u)a *(u)b)                                        \
    DEFINE_PAIRS(maximum_##suffix, type, type, u, a > b ? a : b)                                 \
    DEFINE_PAIRS(minimum_##suffix, type, type, u, a < b ? a : b)                                 \
    DEFINE_PAIRS(and_##suffix, type, type, u, a &b)                                              \
    DEFINE_PAIRS(or_##suffix, type, type, u, a | b)                                              \
    DEFINE_PAIRS(xor_##suffix, type, type, u, a ^ b)                                             \
    DEFINE_PAIRS(abs_##suffix, type, type, u, a < 0 ? 0 - (u)a : (u)a)                           \
    DEFINE_PAIRS(sign_##suffix, type, type, u, (a > 0) - (a < 0))                                \
    DEFINE_PAIRS(shift_left_##suffix, type, type, u, IS_INSIDE(b, type) ? (u)a << b : 0)         \
    DEFINE_PAIRS(shift_right_##suffix, type, type, u, IS_INSIDE(b, type) ? a >> b : (a < 0 ? -1 : 0)) \
    DEFINE_PAIRS(eq_##suffix, uint8_t, type, u, a == b)                                          \
    DEFINE_PAIRS(ne_##suffix, uint8_t, type, u, a != b)                                          \
    DEFINE_PAIRS(lt_##suffix, uint8_t, type, u, a < b)                                           \
    DEFINE_PAIRS(le_##suffix, uint8_t, type, u, a <= b)                                          \
    DEFINE_PAIRS(gt_##suffix, uint8_t, type, u, a > b)                                           \
    DEFINE_PAIRS(ge_##suffix, uint8_t, type, u, a >= b)
DEFINE_INTEGER(uint8_t, u8, unsigned)
DEFINE_INTEGER(int8_t, i8, unsigned)
DEFINE_INTEGER(int16_t, i16, unsigned)
DEFINE_INTEGER(int32_t, i32, unsigned)
DEFINE_INTEGER(int64_t, i64, uint64_t)

// MARK: Divisions. A quotient of floats has the right whole part while the dividend fits their digits: its distance to the next
// whole number is more than what rounding adds. `fits` says of 64 bits that it does.

#define ALWAYS_FITS(x) 1
#define FITS_53_BITS(x) ((x) > -(1ll << 53) && (x) < (1ll << 53))
// The smallest number divided by -1 is itself, and leaves nothing.
#define SLOW_QUOTIENT(a, b) ((b) == -1 ? (int64_t)(0 - (uint64_t)(a)) : (int64_t)(a) / (b))

#define DIVISION_LOOP(quotient, expression)                                                      \
    for (int64_t i = part; i < end; i++) {                                                       \
        wide a = left[i * left_step], b = right[i * right_step], q = quotient, rest = a - q * b; \
        (void)rest;                                                                              \
        out[i] = (element)(expression);                                                          \
    }
#define DEFINE_DIVISION(name, type, wide_type, real, fits, expression)                           \
    static inline __attribute__((always_inline)) void name##_by_steps(                           \
        int64_t count, void *const p[4], const int64_t left_step, const int64_t right_step)      \
    {                                                                                            \
        typedef type element;                                                                    \
        typedef wide_type wide;                                                                  \
        type *out = p[0];                                                                        \
        const type *left = p[1], *right = p[2];                                                  \
        for (int64_t part = 0; part < count; part += 512) {                                      \
            int64_t end = count - part < 512 ? count : part + 512;                               \
            int all = 1;                                                                         \
            for (int64_t i = part; i < end; i++) all &= fits(left[i * left_step]) & fits(right[i * right_step]); \
            if (all) MAY_BE_IN_PLACE DIVISION_LOOP((wide)((real)a / (real)b), expression)        \
            else DIVISION_LOOP(SLOW_QUOTIENT(a, b), expression)                                  \
        }                                                                                        \
    }                                                                                            \
    static void name(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)parameter;                                                                         \
        if (broadcast & 2) name##_by_steps(count, p, 0, !(broadcast & 4));                       \
        else if (broadcast & 4) name##_by_steps(count, p, 1, 0);                                 \
        else name##_by_steps(count, p, 1, 1);                                                    \
    }
#define DEFINE_DIVISIONS(type, suffix, wide_type, real, fits)                                    \
    DEFINE_DIVISION(floor_divide_##suffix, type, wide_type, real, fits,                          \
                    rest != 0 && (rest < 0) != (b < 0) ? q - 1 : q)                              \
    DEFINE_DIVISION(remainder_##suffix, type, wide_type, real, fits,                             \
                    rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)                        \
    DEFINE_DIVISION(trunc_divide_##suffix, type, wide_type, real, fits, q)                       \
    DEFINE_DIVISION(fmod_##suffix, type, wide_type, real, fits, rest)
DEFINE_DIVISIONS(uint8_t, u8, int32_t, float, ALWAYS_FITS)
DEFINE_DIVISIONS(int8_t, i8, int32_t, float, ALWAYS_FITS)
DEFINE_DIVISIONS(int16_t, i16, int32_t, float, ALWAYS_FITS)
DEFINE_DIVISIONS(int32_t, i32, int64_t, double, ALWAYS_FITS)
DEFINE_DIVISIONS(int64_t, i64, int64_t, double, FITS_53_BITS)

// MARK: Conversions

#define DEFINE_CONVERSION(from, from_type, to, to_type, expression)                              \
    static void from##_to_##to(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        to_type *restrict out = p[0];                                                            \
        const from_type *restrict in = p[1];                                                     \
        for (int64_t i = 0; i < count; i++) {                                                    \
            from_type x = in[i];                                                                 \
            out[i] = (to_type)(expression);                                                      \
        }                                                                                        \
    }
static inline int64_t whole_number(double x) { return x >= -0x1p63 && x < 0x1p63 ? (int64_t)x : INT64_MIN; }

// Conversion to 32 bits is much faster, and the same for a part whose numbers all fit.
#define DEFINE_NARROWING(from, from_type, to, to_type)                                           \
    static void from##_to_##to(int64_t count, void *const p[4], unsigned broadcast, const void *parameter) \
    {                                                                                            \
        (void)broadcast, (void)parameter;                                                        \
        to_type *restrict out = p[0];                                                            \
        const from_type *restrict in = p[1];                                                     \
        for (int64_t part = 0; part < count; part += 512) {                                      \
            int64_t end = count - part < 512 ? count : part + 512;                               \
            int fits = 1;                                                                        \
            for (int64_t i = part; i < end; i++) fits &= in[i] > -0x1p31f && in[i] < 0x1p31f;    \
            if (fits)                                                                            \
                for (int64_t i = part; i < end; i++) out[i] = (to_type)(int32_t)in[i];           \
            else                                                                                 \
                for (int64_t i = part; i < end; i++) out[i] = (to_type)whole_number(in[i]);      \
        }                                                                                        \
    }

#define DEFINE_CONVERSIONS(from, type)                                                           \
    DEFINE_CONVERSION(from, type, f32, float, x)                                                 \
    DEFINE_CONVERSION(from, type, f64, double, x)                                                \
    DEFINE_CONVERSION(from, type, bool, uint8_t, x != 0)
#define DEFINE_INTEGER_CONVERSIONS(from, type)                                                   \
    DEFINE_CONVERSIONS(from, type)                                                               \
    DEFINE_CONVERSION(from, type, u8, uint8_t, x)                                                \
    DEFINE_CONVERSION(from, type, i8, int8_t, x)                                                 \
    DEFINE_CONVERSION(from, type, i16, int16_t, x)                                               \
    DEFINE_CONVERSION(from, type, i32, int32_t, x)                                               \
    DEFINE_CONVERSION(from, type, i64, int64_t, x)
#define DEFINE_FLOAT_CONVERSIONS(from, type)                                                     \
    DEFINE_CONVERSIONS(from, type)                                                               \
    DEFINE_NARROWING(from, type, u8, uint8_t)                                                    \
    DEFINE_NARROWING(from, type, i8, int8_t)                                                     \
    DEFINE_NARROWING(from, type, i16, int16_t)                                                   \
    DEFINE_NARROWING(from, type, i32, int32_t)                                                   \
    DEFINE_NARROWING(from, type, i64, int64_t)
DEFINE_INTEGER_CONVERSIONS(u8, uint8_t)
DEFINE_INTEGER_CONVERSIONS(i8, int8_t)
DEFINE_INTEGER_CONVERSIONS(i16, int16_t)
DEFINE_INTEGER_CONVERSIONS(i32, int32_t)
DEFINE_INTEGER_CONVERSIONS(i64, int64_t)
DEFINE_FLOAT_CONVERSIONS(f32, float)
DEFINE_FLOAT_CONVERSIONS(f64, double)

// MARK: Reductions

#define DEFINE_REDUCTION(name, type, identity, expression)                                       \
    static void name(int64_t length, int64_t inner, void *to, const void *from)                  \
    {                                                                                            \
        type *restrict out = to;                                                                 \
        const type *restrict in = from;                                                          \
        if (inner == 1) {                                                                        \
            type a = identity;                                                                   \
            for (int64_t i = 0; i < length; i++) {                                               \
                type b = in[i];                                                                  \
                a = (type)(expression);                                                          \
            }                                                                                    \
            *out = a;                                                                            \
            return;                                                                              \
        }                                                                                        \
        for (int64_t j = 0; j < inner; j++) out[j] = identity;                                   \
        for (int64_t i = 0; i < length; i++)                                                     \
            for (int64_t j = 0; j < inner; j++) {                                                \
                type a = out[j], b = in[i * inner + j];                                          \
                out[j] = (type)(expression);                                                     \
            }                                                                                    \
    }
DEFINE_REDUCTION(sum, int64_t, 0, (uint64_t)a + (uint64_t)b)
DEFINE_REDUCTION(product, int64_t, 1, (uint64_t)a *(uint64_t)b)
DEFINE_REDUCTION(largest, int64_t, INT64_MIN, a > b ? a : b)
DEFINE_REDUCTION(smallest, int64_t, INT64_MAX, a < b ? a : b)
DEFINE_REDUCTION(largest_byte, uint8_t, 0, a > b ? a : b)
DEFINE_REDUCTION(smallest_byte, uint8_t, UINT8_MAX, a < b ? a : b)

// MARK: Products

static void product_row(int64_t n, int64_t k, const int64_t *a, int64_t a_column, const int64_t *b, int64_t b_row, int64_t *c)
{
    uint64_t *restrict to = (uint64_t *)c;
    for (int64_t j = 0; j < n; j++) to[j] = 0;
    int64_t i = 0;
    for (; i + 4 <= k; i += 4) {
        const uint64_t *w = (const uint64_t *)b + i * b_row;
        uint64_t x0 = (uint64_t)a[i * a_column], x1 = (uint64_t)a[(i + 1) * a_column];
        uint64_t x2 = (uint64_t)a[(i + 2) * a_column], x3 = (uint64_t)a[(i + 3) * a_column];
        for (int64_t j = 0; j < n; j++)
            to[j] += (x0 * w[j] + x1 * w[b_row + j]) + (x2 * w[2 * b_row + j] + x3 * w[3 * b_row + j]);
    }
    for (; i < k; i++)
        for (int64_t j = 0; j < n; j++) to[j] += (uint64_t)a[i * a_column] * (uint64_t)b[i * b_row + j];
}

// MARK: The table

#define OF_EVERY_INTEGER(name) {name##_u8, name##_i8, name##_i16, name##_i32, name##_i64}
#define TO_EVERY_NUMBER(from)                                                                    \
    {                                                                                            \
        [CK_UINT8] = from##_to_u8, [CK_INT8] = from##_to_i8, [CK_INT16] = from##_to_i16,         \
        [CK_INT32] = from##_to_i32, [CK_INT64] = from##_to_i64, [CK_FLOAT] = from##_to_f32,      \
        [CK_DOUBLE] = from##_to_f64, [CK_BOOLEAN] = from##_to_bool,                              \
    }

const ck_integer_kernels KERNELS = {
    .binary = {
        [CK_INTEGER_ADD] = OF_EVERY_INTEGER(add), [CK_INTEGER_SUB] = OF_EVERY_INTEGER(sub),
        [CK_INTEGER_MUL] = OF_EVERY_INTEGER(mul), [CK_INTEGER_MAXIMUM] = OF_EVERY_INTEGER(maximum),
        [CK_INTEGER_MINIMUM] = OF_EVERY_INTEGER(minimum), [CK_INTEGER_AND] = OF_EVERY_INTEGER(and),
        [CK_INTEGER_OR] = OF_EVERY_INTEGER(or), [CK_INTEGER_XOR] = OF_EVERY_INTEGER(xor),
        [CK_INTEGER_FLOOR_DIVIDE] = OF_EVERY_INTEGER(floor_divide),
        [CK_INTEGER_REMAINDER] = OF_EVERY_INTEGER(remainder),
        [CK_INTEGER_TRUNC_DIVIDE] = OF_EVERY_INTEGER(trunc_divide), [CK_INTEGER_FMOD] = OF_EVERY_INTEGER(fmod),
        [CK_INTEGER_ABS] = OF_EVERY_INTEGER(abs), [CK_INTEGER_SIGN] = OF_EVERY_INTEGER(sign),
        [CK_INTEGER_SHIFT_LEFT] = OF_EVERY_INTEGER(shift_left),
        [CK_INTEGER_SHIFT_RIGHT] = OF_EVERY_INTEGER(shift_right),
    },
    .compare = {
        [CK_EQ] = OF_EVERY_INTEGER(eq), [CK_NE] = OF_EVERY_INTEGER(ne), [CK_LT] = OF_EVERY_INTEGER(lt),
        [CK_LE] = OF_EVERY_INTEGER(le), [CK_GT] = OF_EVERY_INTEGER(gt), [CK_GE] = OF_EVERY_INTEGER(ge),
    },
    .convert = {
        [CK_UINT8] = TO_EVERY_NUMBER(u8), [CK_INT8] = TO_EVERY_NUMBER(i8), [CK_INT16] = TO_EVERY_NUMBER(i16),
        [CK_INT32] = TO_EVERY_NUMBER(i32), [CK_INT64] = TO_EVERY_NUMBER(i64), [CK_FLOAT] = TO_EVERY_NUMBER(f32),
        [CK_DOUBLE] = TO_EVERY_NUMBER(f64), [CK_BOOLEAN] = TO_EVERY_NUMBER(u8),
    },
    .reduce = {
        [CK_INTEGER_SUM][CK_INT64] = sum, [CK_INTEGER_PRODUCT][CK_INT64] = product,
        [CK_INTEGER_LARGEST] = {[CK_INT64] = largest, [CK_UINT8] = largest_byte},
        [CK_INTEGER_SMALLEST] = {[CK_INT64] = smallest, [CK_UINT8] = smallest_byte},
    },
    .product_row = product_row,
};
