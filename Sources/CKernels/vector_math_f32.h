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
CK_INLINE f32v exp_f32(f32v x)
{
    x = at_least_f32(at_most_f32(x, 95), -110);
    f32v shifted = MADD(x, splat_f32(0x1.715476p+0f), splat_f32(ROUNDER_F32));
    f32v n = shifted - ROUNDER_F32;
    f32v r = NMADD(n, splat_f32(0x1.7f7d1cp-20f), NMADD(n, splat_f32(0x1.62e4p-1f), x));
    f32v tail = splat_f32(0.0013926203361634337f);
    tail = MADD(tail, r, splat_f32(0.008363194882419041f));
    tail = MADD(tail, r, splat_f32(0.0416665544984137f));
    tail = MADD(tail, r, splat_f32(0.166665768946066f));
    tail = MADD(tail, r, splat_f32(0.5f));
    return scale_f32(1 + MADD(r * r, tail, r), AS(u32v, shifted));
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
DEFINE_VIA_DOUBLE(tanh_f32, short_tanh)
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
CK_INLINE f64v short_sigmoid(f64v x)
{
    f64v rest;
    return short_sigmoid_pair(x, &rest);
}
DEFINE_VIA_DOUBLE(sigmoid_f32, short_sigmoid)

#endif
