/// Divisions without a fraction, exact: what is left is a number of the type.
#ifndef CK_VECTOR_MATH_DIVISION_H
#define CK_VECTOR_MATH_DIVISION_H

#include "vector_math_f32.h"

/// The lanes that `divide_whole` cannot do, one by one.
#define DEFINE_DIVISIONS(suffix, real, vector, mask, lanes, limit)                               \
    CK_OUTLINE vector divide_slowly##suffix(vector a, vector b, vector q, vector *rest, mask slow) \
    {                                                                                            \
        for (int i = 0; i < lanes; i++) {                                                        \
            if (!slow[i]) continue;                                                              \
            (*rest)[i] = (real)fmod(a[i], b[i]);                                                 \
            q[i] = (a[i] - (*rest)[i]) / b[i];                                                   \
        }                                                                                        \
        return q;                                                                                \
    }                                                                                            \
    /* trunc(|a / b|) and what is left of |a|: below the limit the rounded quotient is at most one too large. */ \
    CK_INLINE vector divide_whole##suffix(vector a, vector b, vector *rest)                      \
    {                                                                                            \
        a = abs##suffix(a), b = abs##suffix(b);                                                  \
        vector q = trunc##suffix(a / b), r = exact_rest##suffix(q, b, a);                        \
        mask slow = ~(q < (real)limit) | ~has_exact_rest##suffix(a, b), over = r < 0;            \
        *rest = q == 0 ? a : over ? r + b : r;                                                   \
        q = (over & (q != 0)) ? q - 1 : q;                                                       \
        return __builtin_expect(any##suffix(slow), 0) ? divide_slowly##suffix(a, b, q, rest, slow) : q; \
    }                                                                                            \
    CK_INLINE vector fmod##suffix(vector a, vector b)                                            \
    {                                                                                            \
        vector rest;                                                                             \
        divide_whole##suffix(a, b, &rest);                                                       \
        return with_sign##suffix(rest, a);                                                       \
    }                                                                                            \
    CK_INLINE vector remainder##suffix(vector a, vector b)                                       \
    {                                                                                            \
        vector rest = fmod##suffix(a, b);                                                        \
        return ((rest != 0) & ((rest < 0) != (b < 0))) ? rest + b : rest;                        \
    }                                                                                            \
    CK_INLINE vector floor_divide##suffix(vector a, vector b)                                    \
    {                                                                                            \
        vector rest, q = divide_whole##suffix(a, b, &rest);                                      \
        mask differ = (AS(mask, a) ^ AS(mask, b)) < 0;                                           \
        q = (differ & (rest != 0)) ? q + 1 : q;                                                  \
        return b == 0 ? a / b : differ ? neg##suffix(q) : q;                                     \
    }
#if CK_FUSED
#define EXACT_REST(suffix, vector, mask)                                                         \
    CK_INLINE vector exact_rest##suffix(vector q, vector b, vector a) { return NMADD(q, b, a); } \
    CK_INLINE mask has_exact_rest##suffix(vector a, vector b) { return (void)a, (void)b, (mask)-1; }
EXACT_REST(_f32, f32v, i32v)
EXACT_REST(_f64, f64v, i64v)
DEFINE_DIVISIONS(_f32, float, f32v, i32v, CK_F32_LANES, 0x1p24f)
DEFINE_DIVISIONS(_f64, double, f64v, i64v, CK_F64_LANES, 0x1p53)
#else
CK_INLINE f64v exact_rest_f64(f64v q, f64v b, f64v a)
{
    pair_f64 product = two_product(q, b);
    return (a - product.high) - product.low;
}
/// Whether the halves of numbers that `two_product` takes neither overflow nor underflow.
CK_INLINE i64v has_exact_rest_f64(f64v a, f64v b) { return (a < 0x1p990) & (b > 0x1p-900); }
DEFINE_DIVISIONS(_f64, double, f64v, i64v, CK_F64_LANES, 0x1p53)
DEFINE_VIA_DOUBLE_2(fmod_f32, fmod_f64)
DEFINE_VIA_DOUBLE_2(remainder_f32, remainder_f64)
DEFINE_VIA_DOUBLE_2(floor_divide_f32, floor_divide_f64)
#endif

#endif
