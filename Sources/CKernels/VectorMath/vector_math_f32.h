/// Elementary functions of float vectors. Most are evaluated in double, 30 bits or so of it, and rounded once: gradual
/// underflow, overflow and nearly correct rounding come for free. The cheap and frequent ones stay in float (logarithms, activations)
/// and are within 6 units of the last place then.
#ifndef CK_VECTOR_MATH_F32_H
#define CK_VECTOR_MATH_F32_H

#include "vector_math_gamma.h"
#include "vector_math_inverse.h"
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

/// p 2^n for bits = those of n + ROUNDER_F32: as scale_f64.
CK_INLINE f32v scale_f32(f32v p, f32v shifted)
{
#if CK_VECTOR_BYTES == 64
    return _mm512_scalef_ps(p, shifted - ROUNDER_F32);
#else
    u32v bits = AS(u32v, shifted), half = bits >> 1, rest = bits - half;
    return p * AS(f32v, half << 23) * AS(f32v, rest << 23);
#endif
}
/// 2^n, -127 < n < 128; 0 below.
CK_INLINE f32v power_of_two_f32(f32v shifted)
{
#if CK_VECTOR_BYTES == 64
    return scale_f32(splat_f32(1), shifted);
#else
    i32v biased = AS(i32v, shifted) - (0x4b400000 + 127);
    return AS(f32v, (biased > 0 ? biased : (i32v)0) << 23);
#endif
}
#define LN2_HIGH_F32 0x1.62e4p-1f /* 15 bits: exact times an exponent */
#define LN2_LOW_F32 0x1.7f7d1cp-20f

/// e^(x + rest) = 2^n (1 + high + tail), rest tiny beside 1, high exact. Answers n + ROUNDER_F32.
CK_INLINE f32v exp_parts(f32v x, f32v rest, f32v *high, f32v *tail)
{
    f32v shifted = MADD(x, splat_f32(0x1.715476p+0f), splat_f32(ROUNDER_F32)), n = shifted - ROUNDER_F32;
    f32v low = NMADD(n, splat_f32(LN2_LOW_F32), rest);
    *high = NMADD(n, splat_f32(LN2_HIGH_F32), x);
    f32v r = *high + low, square = r * r;
    f32v far = MADD(r, splat_f32(0.008363194882419041f), splat_f32(0.0416665544984137f));
    far = MADD(square, splat_f32(0.0013926203361634337f), far);
    *tail = MADD(square, MADD(square, far, MADD(r, splat_f32(0.166665768946066f), splat_f32(0.5f))), low);
    return shifted;
}
/// e^(x + rest), -150 < x < 100
CK_INLINE f32v exp_within_range(f32v x, f32v rest)
{
    f32v high, tail, shifted = exp_parts(x, rest, &high, &tail);
    return scale_f32(1 + (high + tail), shifted);
}
CK_INLINE f32v exp_with_rest(f32v x, f32v rest)
{
    return exp_within_range(at_least_f32(at_most_f32(x, 95), -110), rest);
}
CK_INLINE f32v exp_f32(f32v x) { return exp_with_rest(x, splat_f32(0)); }

// The quotients below would be up to 2.3 units off: what their divisors `lost` in rounding is made good.

/// 1 / (1 + z) or z / (1 + z) for z = 2^n (1 + p) = e^-|x|. A straight line is near enough to 1 / (1 + z).
CK_INLINE f32v sigmoid_f32(f32v x)
{
    f32v high, tail, shifted = exp_parts(at_least_f32(neg_f32(abs_f32(x)), -110), splat_f32(0), &high, &tail);
    f32v p = high + tail, power = power_of_two_f32(shifted), one = 1 + power;
    f32v divisor = MADD(power, p, one), lost = MADD(power, p, one - divisor);
    f32v quotient = (x > 0 ? (f32v)1.0f : scale_f32(1 + p, shifted)) / divisor;
    return NMADD(quotient * lost, NMADD(splat_f32(0.5f), divisor, splat_f32(1.457f)), quotient);
}
#if CK_FUSED
/// x P(x^2) / Q(x^2), 2^-25 of it up to where it rounds to 1.
CK_INLINE f32v tanh_f32(f32v x)
{
    f32v size = at_most_f32(abs_f32(x), 9.02f), z = size * size;
    f32v p = MADD(splat_f32(1.3385321295800166e-08f), z, splat_f32(2.06360036827391e-05f));
    p = MADD(p, z, splat_f32(0.0034974452573806047f));
    p = MADD(p, z, splat_f32(0.13382668793201447f));
    f32v q = MADD(splat_f32(7.790503104843084e-07f), z, splat_f32(0.0003288513398729265f));
    q = MADD(q, z, splat_f32(0.025884289294481277f));
    q = MADD(q, z, splat_f32(0.4671598970890045f));
    f32v y = MADD(size * z, p, size) / MADD(q, z, splat_f32(1));
    return with_sign_f32(at_most_f32(y, 1), x);
}
#else
DEFINE_VIA_DOUBLE(tanh_f32, short_tanh)
#endif

// MARK: Activations in float. The arguments of exponentials are kept in two parts: their absolute error becomes a relative one.

#if CK_FUSED

/// y, or where `far` holds, which is not worth its price in the usual range, the function by doubles.
#define MENDED(y, far, slow, x) (__builtin_expect(any_f32(far), 0) ? ((far) ? slow(x) : (y)) : (y))

/// For size = |x|, bounded so that infinity times 0 stays out: Phi(-size) = tail * density with density = e^(-size^2 / 2).
/// The tail is P(size) / Q(size), 2^-26 of it.
CK_INLINE f32v normal_tail(f32v x, f32v *size, f32v *density)
{
    *size = at_most_f32(abs_f32(x), 15.1f);
    f32v half = -0.5f * *size, power = *size * half, lost = MADD(*size, half, neg_f32(power));
    *density = exp_within_range(power, lost);
    f32v p = MADD(splat_f32(0.004136198665946722f), *size, splat_f32(0.04078303650021553f));
    p = MADD(p, *size, splat_f32(0.1837037205696106f));
    p = MADD(p, *size, splat_f32(0.43896493315696716f));
    p = MADD(p, *size, splat_f32(0.5f));
    f32v q = MADD(splat_f32(0.010367801412940025f), *size, splat_f32(0.10223402082920074f));
    q = MADD(q, *size, splat_f32(0.4707005023956299f));
    q = MADD(q, *size, splat_f32(1.2045097351074219f));
    q = MADD(q, *size, splat_f32(1.6758147478103638f));
    return p / MADD(q, *size, splat_f32(1));
}
/// x Phi(x) = max(x, 0) - |x| Phi(-|x|)
CK_INLINE f32v gelu_with_slope_f32(f32v x, f32v *slope)
{
    f32v size, density, tail = normal_tail(x, &size, &density);
    f32v below = NMADD(size, splat_f32(NORMAL_DENSITY), tail) * density;
    *slope = x > 0 ? 1 - below : below;
    return NMADD(size * tail, density, at_least_f32(x, -0.0f));
}

/// x / (1 + e^-w) and its derivative, w a function of x with the sign of x: from -|w| = `exponent` + `rest` and `bend` = -|x| w'.
CK_INLINE f32v gate_with_slope_f32(f32v x, f32v exponent, f32v rest, f32v bend, f32v *slope)
{
    f32v z = exp_within_range(exponent, rest), inverse = 1 / (1 + z);
    f32v sigmoid = (x > 0 ? (f32v)1.0f : z) * inverse, other = (x > 0 ? z : (f32v)1.0f) * inverse;
    *slope = sigmoid * MADD(x > 0 ? neg_f32(bend) : bend, other, splat_f32(1));
    return x * sigmoid;
}
DEFINE_VIA_DOUBLE(slow_silu, short_silu)
CK_INLINE f32v silu_with_slope_f32(f32v x, f32v *slope)
{
    f32v exponent = at_least_f32(neg_f32(abs_f32(x)), -110);
    f32v y = gate_with_slope_f32(x, exponent, splat_f32(0), exponent, slope);
    return MENDED(y, x < -80.0f, slow_silu, x);
}

DEFINE_VIA_DOUBLE(slow_gelu_tanh, short_gelu_tanh)
CK_INLINE f32v gelu_tanh_with_slope_f32(f32v x, f32v *slope)
{
    // w = x factor, factor = sqrt(8 / pi) (1 + 0.044715 x^2), both in two parts. `line` has so few bits that its difference
    // from the factor is exact.
    const float line = 0x1.988p+0f, line_low = 0x1.14cf5p-14f, cube = 0x1.2444f2p-4f, cube_low = 0x1.49b16ap-29f;
    f32v size = at_least_f32(neg_f32(abs_f32(x)), -11), square = size * size;
    f32v square_low = MADD(size, size, neg_f32(square)), factor = MADD(square, splat_f32(cube), splat_f32(line));
    f32v factor_low = MADD(square, splat_f32(cube), line - factor) + line_low;
    factor_low = MADD(square_low, splat_f32(cube), MADD(square, splat_f32(cube_low), factor_low));
    f32v exponent = size * factor, rest = MADD(size, factor_low, MADD(size, factor, neg_f32(exponent)));
    f32v y = gate_with_slope_f32(x, exponent, rest, size * MADD(square, splat_f32(2 * cube), factor + factor_low), slope);
    return MENDED(y, x < -9.0f, slow_gelu_tanh, x);
}

#else

#define DEFINE_BOTH_VIA_DOUBLE(name, wide)                                                       \
    CK_INLINE f32v name(f32v x, f32v *slope)                                                     \
    {                                                                                            \
        f64v low, high, first = wide(low_f64(x), &low), second = wide(high_f64(x), &high);       \
        *slope = narrow_f32(low, high);                                                          \
        return narrow_f32(first, second);                                                        \
    }
DEFINE_BOTH_VIA_DOUBLE(gelu_with_slope_f32, short_gelu_with_slope)
DEFINE_BOTH_VIA_DOUBLE(gelu_tanh_with_slope_f32, short_gelu_tanh_with_slope)
DEFINE_BOTH_VIA_DOUBLE(silu_with_slope_f32, short_silu_with_slope)

#endif

DEFINE_VALUE_AND_SLOPE(f32v, gelu_with_slope_f32, gelu_f32, gelu_slope_f32)
DEFINE_VALUE_AND_SLOPE(f32v, gelu_tanh_with_slope_f32, gelu_tanh_f32, gelu_tanh_slope_f32)
DEFINE_VALUE_AND_SLOPE(f32v, silu_with_slope_f32, silu_f32, silu_slope_f32)

// MARK: Logarithms in float

#if CK_FUSED

/// The logarithm where it is none of a positive finite number: `x` is the argument.
CK_INLINE f32v log_special_f32(f32v x, f32v value)
{
    f32v edge = x == 0 ? (f32v)-INFINITY : x + x;  // inf and NaN stay
    edge = x < 0 ? (f32v)NAN : edge;
    i32v ordinary = (x > 0) & (x < (f32v)INFINITY);
    return ordinary ? value : edge;
}
/// x = 2^e (1 + f), 1 + f between sqrt(1/2) and sqrt(2). For x > 0, denormals included.
CK_INLINE f32v log_reduce_f32(f32v x, f32v *e)
{
    i32v denormal = x < 0x1p-126f;
    u32v bits = AS(u32v, denormal ? x * 0x1p24f : x) + (0x3f800000u - 0x3f3504f3u);
    f32v biased = AS(f32v, (bits >> 23) | 0x4b000000u);
    *e = biased - (denormal ? (f32v)(0x1p23f + 127 + 24) : (f32v)(0x1p23f + 127));
    return AS(f32v, (bits & 0x007fffffu) + 0x3f3504f3u) - 1;
}
/// log(1 + f) - f, 2^-28 of the logarithm
CK_INLINE f32v log_rest_f32(f32v f)
{
    f32v z = f * f, sum = splat_f32(0.06971611827611923f);
    sum = MADD(sum, f, splat_f32(-0.11479733884334564f));
    sum = MADD(sum, f, splat_f32(0.11685419827699661f));
    sum = MADD(sum, f, splat_f32(-0.12425687164068222f));
    sum = MADD(sum, f, splat_f32(0.14249058067798615f));
    sum = MADD(sum, f, splat_f32(-0.1666780263185501f));
    sum = MADD(sum, f, splat_f32(0.20000715553760529f));
    sum = MADD(sum, f, splat_f32(-0.2499999701976776f));
    sum = MADD(sum, f, splat_f32(0.3333333134651184f));
    return MADD(z, splat_f32(-0.5f), z * f * sum);
}
CK_INLINE f32v log_f32(f32v x)
{
    f32v e, f = log_reduce_f32(x, &e), rest = MADD(e, splat_f32(LN2_LOW_F32), log_rest_f32(f));
    return log_special_f32(x, MADD(e, splat_f32(LN2_HIGH_F32), f + rest));
}
CK_INLINE f32v log2_f32(f32v x)
{
    f32v e, f = log_reduce_f32(x, &e), rest = log_rest_f32(f);
    f32v low = MADD(f + rest, splat_f32(0x1.4ae0cp-26f), rest * 0x1.715476p+0f);
    return log_special_f32(x, MADD(f, splat_f32(0x1.715476p+0f), low) + e);
}
CK_INLINE f32v log10_f32(f32v x)
{
    f32v e, f = log_reduce_f32(x, &e), rest = log_rest_f32(f);
    f32v low = MADD(f + rest, splat_f32(-0x1.5b235ep-27f), MADD(rest, splat_f32(0x1.bcb7b2p-2f), e * 0x1.3509f8p-18f));
    return log_special_f32(x, MADD(e, splat_f32(0x1.3440p-2f), MADD(f, splat_f32(0x1.bcb7b2p-2f), low)));
}
/// log(u) with what the rounding of u = 1 + x lost put back.
CK_INLINE f32v log1p_f32(f32v x)
{
    f32v u = 1 + x, part = u - 1, lost = (1 - (u - part)) + (x - part);
    f32v e, f = log_reduce_f32(u, &e);
    f32v scale = AS(f32v, AS(u32v, splat_f32(1)) - (AS(u32v, e + 0x1.8p23f) << 23));  // 2^-e
    f += x < 0x1p40f ? lost * scale : (f32v)0.0f;
    f32v rest = MADD(e, splat_f32(LN2_LOW_F32), log_rest_f32(f));
    f32v value = log_special_f32(u, MADD(e, splat_f32(LN2_HIGH_F32), f + rest));
    return abs_f32(x) < 0x1p-25f ? x : value;
}
/// log(1 + e^x)
CK_INLINE f32v softplus_f32(f32v x) { return (x > 0 ? x : (f32v)0.0f) + log1p_f32(exp_f32(neg_f32(abs_f32(x)))); }

/// 2^x, by a polynomial for 2^r, |r| <= 1/2.
CK_INLINE f32v exp2_f32(f32v x)
{
    x = at_least_f32(at_most_f32(x, 130), -152);
    f32v shifted = x + ROUNDER_F32, r = x - (shifted - ROUNDER_F32), sum = splat_f32(0.00015453182277269661f);
    sum = MADD(sum, r, splat_f32(0.0013390886597335339f));
    sum = MADD(sum, r, splat_f32(0.009618082083761692f));
    sum = MADD(sum, r, splat_f32(0.055503569543361664f));
    sum = MADD(sum, r, splat_f32(0.24022650718688965f));
    sum = MADD(sum, r, splat_f32(0.6931471824645996f));
    return scale_f32(MADD(sum, r, splat_f32(1)), shifted);
}

#else
DEFINE_VIA_DOUBLE(log_f32, short_log)
DEFINE_VIA_DOUBLE(log2_f32, short_log2)
DEFINE_VIA_DOUBLE(log10_f32, short_log10)
DEFINE_VIA_DOUBLE(log1p_f32, short_log1p)
DEFINE_VIA_DOUBLE(softplus_f32, short_softplus)
DEFINE_VIA_DOUBLE(exp2_f32, short_exp2)
#endif

// MARK: In double

DEFINE_VIA_DOUBLE(expm1_f32, short_expm1)
DEFINE_VIA_DOUBLE(sin_f32, short_sin)
DEFINE_VIA_DOUBLE(cos_f32, short_cos)
DEFINE_VIA_DOUBLE(tan_f32, short_tan)
DEFINE_VIA_DOUBLE(asin_f32, short_asin)
DEFINE_VIA_DOUBLE(acos_f32, short_acos)
DEFINE_VIA_DOUBLE(atan_f32, short_atan)
DEFINE_VIA_DOUBLE(sinh_f32, short_sinh)
DEFINE_VIA_DOUBLE(cosh_f32, short_cosh)
DEFINE_VIA_DOUBLE(asinh_f32, short_asinh)
DEFINE_VIA_DOUBLE(acosh_f32, short_acosh)
DEFINE_VIA_DOUBLE(atanh_f32, short_atanh)
DEFINE_VIA_DOUBLE(erf_f32, short_erf)
DEFINE_VIA_DOUBLE(erfc_f32, short_erfc)
DEFINE_VIA_DOUBLE(erfinv_f32, short_erfinv)
DEFINE_VIA_DOUBLE(lgamma_f32, short_lgamma)
DEFINE_VIA_DOUBLE(digamma_f32, short_digamma)
DEFINE_VIA_DOUBLE_2(power_f32, short_power)
DEFINE_VIA_DOUBLE_2(atan2_f32, short_atan2)
DEFINE_VIA_DOUBLE_2(hypot_f32, short_hypot)

CK_INLINE f64v sigmoid_f64(f64v x)
{
    f64v rest;
    return sigmoid_pair(x, &rest);
}

#endif
