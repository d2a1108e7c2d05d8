/// Elementary functions of float vectors. Most are evaluated in double, 30 bits or so of it, and rounded once: gradual
/// underflow, overflow and nearly correct rounding come for free. The cheap and frequent ones stay in float.
#ifndef CK_VECTOR_MATH_F32_H
#define CK_VECTOR_MATH_F32_H

#include "vector_math_special.h"

#define DEFINE_VIA_DOUBLE(name, wide)                                                            \
    CK_INLINE f32v name(f32v x) { return narrow_f32(wide(low_f64(x)), wide(high_f64(x))); }
#define DEFINE_VIA_DOUBLE_2(name, wide)                                                          \
    CK_INLINE f32v name(f32v a, f32v b)                                                          \
    {                                                                                            \
        return narrow_f32(wide(low_f64(a), low_f64(b)), wide(high_f64(a), high_f64(b)));         \
    }

// MARK: In float

#define ROUNDER_F32 (0x1.8p23f + 254)

/// As scale_f64.
CK_INLINE f32v scale_f32(f32v p, u32v bits)
{
    u32v half = bits >> 1, rest = bits - half;
    return p * AS(f32v, half << 23) * AS(f32v, rest << 23);
}
#define LN2_HIGH_F32 0x1.62e4p-1f /* 15 bits: exact times an exponent */
#define LN2_LOW_F32 0x1.7f7d1cp-20f

/// x = n ln 2 + high + low, and (e^(high + low) - 1) - high in `tail`. Answers n + ROUNDER_F32.
CK_INLINE f32v exp_parts(f32v x, f32v *high, f32v *tail)
{
    f32v shifted = MADD(x, splat_f32(0x1.715476p+0f), splat_f32(ROUNDER_F32)), n = shifted - ROUNDER_F32;
    f32v low = n * -LN2_LOW_F32;
    *high = NMADD(n, splat_f32(LN2_HIGH_F32), x);
    f32v r = *high + low;
    f32v sum = splat_f32(0.0013926203361634337f);
    sum = MADD(sum, r, splat_f32(0.008363194882419041f));
    sum = MADD(sum, r, splat_f32(0.0416665544984137f));
    sum = MADD(sum, r, splat_f32(0.166665768946066f));
    sum = MADD(sum, r, splat_f32(0.5f));
    *tail = MADD(r * r, sum, low);
    return shifted;
}
/// 1 + high + tail is rounded but once: what 1 + high loses joins the tail.
CK_INLINE f32v exp_f32(f32v x)
{
    f32v high, tail, shifted = exp_parts(at_least_f32(at_most_f32(x, 95), -110), &high, &tail);
    f32v sum = 1 + high, lost = high - (sum - 1);
    return scale_f32(sum + (lost + tail), AS(u32v, shifted));
}
/// 1 / (1 + z) or z / (1 + z) for z = e^-|x|. The quotient alone would be up to 2.3 units off: the rounding errors of
/// z and of 1 + z are kept and divided too, by a straight line that is near enough to 1 / (1 + z).
CK_INLINE f32v sigmoid_f32(f32v x)
{
    f32v high, tail, shifted = exp_parts(at_least_f32(neg_f32(abs_f32(x)), -110), &high, &tail);
    f32v sum = 1 + high, rest = (high - (sum - 1)) + tail, rounded = sum + rest;
    u32v bits = AS(u32v, shifted);
    f32v z = scale_f32(rounded, bits), z_low = scale_f32(rest - (rounded - sum), bits);
    f32v divisor = 1 + z, divisor_low = (z - (divisor - 1)) + z_low;
    f32v quotient = (x > 0 ? (f32v)1.0f : z) / divisor;
    f32v missing = NMADD(quotient, divisor_low, x > 0 ? (f32v)0.0f : z_low);
    return MADD(missing, NMADD(splat_f32(0.5f), divisor, splat_f32(1.457f)), quotient);
}
/// x + x^3 P(x^2) below 0.55, above it 1 - 2 / (e^(2 |x|) + 1).
CK_INLINE f32v tanh_f32(f32v x)
{
    f32v size = abs_f32(x), square = x * x;
    f32v near = splat_f32(0.0025232933793140778f);
    near = MADD(near, square, splat_f32(-0.008524214307057028f));
    near = MADD(near, square, splat_f32(0.021817947709476076f));
    near = MADD(near, square, splat_f32(-0.05396465271102643f));
    near = MADD(near, square, splat_f32(0.1333332404392672f));
    near = MADD(near, square, splat_f32(-0.333333332942297f));
    near = MADD(square * size, near, size);
    f32v far = 1 - 2 / (exp_f32(2 * at_most_f32(size, 20)) + 1);
    return with_sign_f32(abs_f32(size < 0.55f ? near : far), x);
}

// MARK: In double

DEFINE_VIA_DOUBLE(exp2_f32, short_exp2)
DEFINE_VIA_DOUBLE(expm1_f32, short_expm1)
DEFINE_VIA_DOUBLE(log_f32, short_log)
DEFINE_VIA_DOUBLE(log2_f32, short_log2)
DEFINE_VIA_DOUBLE(log10_f32, short_log10)
DEFINE_VIA_DOUBLE(log1p_f32, short_log1p)
DEFINE_VIA_DOUBLE(sin_f32, short_sin)
DEFINE_VIA_DOUBLE(cos_f32, short_cos)
DEFINE_VIA_DOUBLE(erf_f32, short_erf)
DEFINE_VIA_DOUBLE(gelu_f32, short_gelu)
DEFINE_VIA_DOUBLE(gelu_tanh_f32, short_gelu_tanh)
DEFINE_VIA_DOUBLE(silu_f32, short_silu)
DEFINE_VIA_DOUBLE(softplus_f32, short_softplus)
DEFINE_VIA_DOUBLE_2(power_f32, short_power)
DEFINE_VIA_DOUBLE_2(gelu_grad_f32, short_gelu_grad)
DEFINE_VIA_DOUBLE_2(gelu_tanh_grad_f32, short_gelu_tanh_grad)
DEFINE_VIA_DOUBLE_2(silu_grad_f32, short_silu_grad)

CK_INLINE f64v sigmoid_f64(f64v x)
{
    f64v rest;
    return sigmoid_pair(x, &rest);
}

#endif
