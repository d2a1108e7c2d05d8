/// Elementary functions of double vectors, within a few units in the last place over the whole range, denormals and
/// special values included. The `short_` ones keep about 30 bits: enough for a float when evaluated in double.
#ifndef CK_VECTOR_MATH_F64_H
#define CK_VECTOR_MATH_F64_H

#include "vector_math.h"
#include "vector_math_angle.h"

#define HORNER(x, coefficients) horner_f64(x, coefficients, (int)(sizeof(coefficients) / sizeof(coefficients[0])))

CK_INLINE f64v horner_f64(f64v x, const double *coefficients, int count)
{
    f64v sum = splat_f64(coefficients[count - 1]);
#pragma clang loop unroll(full)
    for (int k = count - 2; k >= 0; k--) sum = MADD(sum, x, splat_f64(coefficients[k]));
    return sum;
}

// MARK: Exact products and sums: the rounded result and what rounding lost.

typedef struct pair_f64 { f64v high, low; } pair_f64;

CK_INLINE pair_f64 two_sum(f64v a, f64v b)
{
    f64v s = a + b, b_part = s - a;
    return (pair_f64){s, (a - (s - b_part)) + (b - b_part)};
}
/// For |a| >= |b|, or a = 0.
CK_INLINE pair_f64 quick_two_sum(f64v a, f64v b)
{
    f64v s = a + b;
    return (pair_f64){s, b - (s - a)};
}
CK_INLINE pair_f64 two_product(f64v a, f64v b)
{
    f64v p = a * b;
#if CK_FUSED
    return (pair_f64){p, __builtin_elementwise_fma(a, b, -p)};
#else
    // Dekker: halves of 26 bits have exact products. Overflows above 2^996, which callers keep away from.
    f64v a_wide = a * 0x1.0000002p27, b_wide = b * 0x1.0000002p27;
    f64v a_high = a_wide - (a_wide - a), b_high = b_wide - (b_wide - b);
    f64v a_low = a - a_high, b_low = b - b_high;
    return (pair_f64){p, ((a_high * b_high - p) + a_high * b_low + a_low * b_high) + a_low * b_low};
#endif
}

// MARK: Exponentials

// x + n, n so large that the sum's last bits are round(x): as an integer, and by subtraction again as a double. The
// 2046 gives both halves of a scale 2^n their exponent bias.
#define ROUNDER_F64 (0x1.8p52 + 2046)

/// p 2^n for bits = those of n + ROUNDER_F64, -2044 <= n <= 2046: in two exact steps, save for one rounding at the end
/// when the result is denormal.
CK_INLINE f64v scale_f64(f64v p, u64v bits)
{
    u64v half = bits >> 1, rest = bits - half;
    return p * AS(f64v, half << 52) * AS(f64v, rest << 52);
}

#define LN2_HIGH 0x1.62e42fefa3800p-1 /* 42 bits: exact times an exponent */
#define LN2_LOW 0x1.ef35793c76730p-45
#define LOG2_E 0x1.71547652b82fep+0

static const double exp_tail[] = {
    0.5, 0.1666666666666667, 0.04166666666666667, 0.00833333333332612, 0.0013888888888883737, 0.00019841269874873975,
    2.480158732558584e-05, 2.755725533255441e-06, 2.7557273594799413e-07, 2.510524515390137e-08, 2.0914707069612355e-09,
};
static const double short_exp_tail[] = {
    0.5000000013487226, 0.16666666681647016, 0.04166646471137908, 0.00833331090172597, 0.0013933673732931852,
    0.0001989101718430203,
};

/// x = n ln 2 + r, |r| <= ln 2 / 2; answers r, and n both ways.
CK_INLINE f64v exp_reduce(f64v x, f64v *n, u64v *bits)
{
    f64v shifted = MADD(x, splat_f64(LOG2_E), splat_f64(ROUNDER_F64));
    *n = shifted - ROUNDER_F64;
    *bits = AS(u64v, shifted);
    return NMADD(*n, splat_f64(LN2_LOW), NMADD(*n, splat_f64(LN2_HIGH), x));
}
/// e^r - 1
CK_INLINE f64v exp_core(f64v r) { return MADD(r * r, HORNER(r, exp_tail), r); }
CK_INLINE f64v short_exp_core(f64v r) { return MADD(r * r, HORNER(r, short_exp_tail), r); }

/// e^(x + low), low tiny beside 1.
CK_INLINE f64v exp_with_low(f64v x, f64v low)
{
    f64v n;
    u64v bits;
    x = at_least_f64(at_most_f64(x, 800), -800);
    f64v p = exp_core(exp_reduce(x, &n, &bits) + low);
    return scale_f64(1 + p, bits);
}
CK_INLINE f64v exp_f64(f64v x)
{
    f64v n;
    u64v bits;
    x = at_least_f64(at_most_f64(x, 800), -800);
    f64v p = exp_core(exp_reduce(x, &n, &bits));
    return scale_f64(1 + p, bits);
}
CK_INLINE f64v short_exp(f64v x)
{
    f64v n;
    u64v bits;
    x = at_least_f64(at_most_f64(x, 800), -800);
    f64v p = short_exp_core(exp_reduce(x, &n, &bits));
    return scale_f64(1 + p, bits);
}
/// 2^x
CK_INLINE f64v exp2_reduce(f64v x, u64v *bits)
{
    f64v shifted = x + ROUNDER_F64;
    *bits = AS(u64v, shifted);
    return (x - (shifted - ROUNDER_F64)) * 0x1.62e42fefa39efp-1;
}
CK_INLINE f64v exp2_f64(f64v x)
{
    u64v bits;
    x = at_least_f64(at_most_f64(x, 1100), -1100);
    f64v p = exp_core(exp2_reduce(x, &bits));
    return scale_f64(1 + p, bits);
}
CK_INLINE f64v short_exp2(f64v x)
{
    u64v bits;
    x = at_least_f64(at_most_f64(x, 1100), -1100);
    f64v p = short_exp_core(exp2_reduce(x, &bits));
    return scale_f64(1 + p, bits);
}

/// 2^n p + (2^n - 1) for p = e^r - 1. At half the scale, so that 2^1024 does not overflow too early.
CK_INLINE f64v expm1_finish(f64v p, u64v bits)
{
    f64v half_scale = AS(f64v, (bits + (1022 - 2046)) << 52);
    return 2 * MADD(half_scale, p, half_scale - 0.5);
}
CK_INLINE f64v expm1_f64(f64v x)
{
    f64v n;
    u64v bits;
    f64v bounded = at_least_f64(at_most_f64(x, 710), -50);
    f64v p = exp_core(exp_reduce(bounded, &n, &bits));
    return abs_f64(x) < 0x1p-54 ? x : expm1_finish(p, bits);
}
CK_INLINE f64v short_expm1(f64v x)
{
    f64v n;
    u64v bits;
    f64v bounded = at_least_f64(at_most_f64(x, 710), -50);
    f64v p = short_exp_core(exp_reduce(bounded, &n, &bits));
    return abs_f64(x) < 0x1p-54 ? x : expm1_finish(p, bits);
}

// MARK: Logarithms

static const double atanh_tail[] = {
    0.3333333333333335, 0.19999999999949095, 0.14285714313285103, 0.11111105518908294, 0.09091448091741543,
    0.07665743617932867, 0.07309671726756307,
};
static const double short_atanh_tail[] = {
    0.33333333276762683, 0.2000006131684939, 0.14275365422386904, 0.1166645640218432,
};

/// x = 2^e (1 + f), 1 + f between sqrt(1/2) and sqrt(2). For x > 0, denormals included.
CK_INLINE f64v log_reduce(f64v x, f64v *e)
{
    i64v denormal = x < 0x1p-1022;
    u64v bits = AS(u64v, denormal ? x * 0x1p54 : x) + (0x3ff0000000000000u - 0x3fe6a09e667f3bcdu);
    f64v biased = AS(f64v, (bits >> 52) | 0x4330000000000000u);
    *e = biased - (denormal ? (f64v)(0x1p52 + 1023 + 54) : (f64v)(0x1p52 + 1023));
    return AS(f64v, (bits & 0x000fffffffffffffu) + 0x3fe6a09e667f3bcdu) - 1;
}
/// f - log(1 + f): with s = f / (2 + f), log(1 + f) = 2 atanh(s) = f - s (f - 2 s^2 (1/3 + s^2 / 5 + ...)).
CK_INLINE f64v log_tail(f64v f)
{
    f64v s = f / (2 + f), z = s * s;
    return s * (f - 2 * z * HORNER(z, atanh_tail));
}
CK_INLINE f64v short_log_tail(f64v f)
{
    f64v s = f / (2 + f), z = s * s;
    return s * (f - 2 * z * HORNER(z, short_atanh_tail));
}
/// The logarithm where it is none of a positive finite number: `x` is the argument.
CK_INLINE f64v log_special(f64v x, f64v value)
{
    f64v edge = x == 0 ? (f64v)-INFINITY : x + x;  // inf and NaN stay
    edge = x < 0 ? (f64v)NAN : edge;
    i64v ordinary = (x > 0) & (x < (f64v)INFINITY);
    return ordinary ? value : edge;
}
#define DEFINE_LOG(name, tail)                                                                   \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v e, f = log_reduce(x, &e);                                                           \
        f64v rest = f - NMADD(e, splat_f64(LN2_LOW), tail(f));                                   \
        return log_special(x, MADD(e, splat_f64(LN2_HIGH), rest));                               \
    }
DEFINE_LOG(log_f64, log_tail)
DEFINE_LOG(short_log, short_log_tail)

#define DEFINE_LOG2(name, tail)                                                                  \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v e, f = log_reduce(x, &e);                                                           \
        return log_special(x, MADD(f - tail(f), splat_f64(LOG2_E), e));                          \
    }
DEFINE_LOG2(log2_f64, log_tail)
DEFINE_LOG2(short_log2, short_log_tail)

#define LOG10_2_HIGH 0x1.34413509f7800p-2
#define LOG10_2_LOW 0x1.fef311f12b358p-46
#define LOG10_E 0x1.bcb7b1526e50ep-2

#define DEFINE_LOG10(name, tail)                                                                 \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v e, f = log_reduce(x, &e);                                                           \
        f64v rest = MADD(f - tail(f), splat_f64(LOG10_E), e * LOG10_2_LOW);                      \
        return log_special(x, MADD(e, splat_f64(LOG10_2_HIGH), rest));                           \
    }
DEFINE_LOG10(log10_f64, log_tail)
DEFINE_LOG10(short_log10, short_log_tail)

/// log(u) with what the rounding of u = 1 + x lost put back.
CK_INLINE f64v log1p_f64(f64v x)
{
    pair_f64 u = two_sum((f64v)1.0, x);
    f64v e, f = log_reduce(u.high, &e);
    i64v near = e == 0;
    f64v lost = near ? (f64v)0.0 : u.low / u.high;
    f = near ? x : f;
    f64v rest = f - (NMADD(e, splat_f64(LN2_LOW), log_tail(f)) - lost);
    f64v value = log_special(u.high, MADD(e, splat_f64(LN2_HIGH), rest));
    return abs_f64(x) < 0x1p-54 ? x : value;
}
CK_INLINE f64v short_log1p(f64v x)
{
    f64v u = 1 + x, e, f = log_reduce(u, &e);
    f = e == 0 ? x : f;
    f64v rest = f - NMADD(e, splat_f64(LN2_LOW), short_log_tail(f));
    return abs_f64(x) < 0x1p-54 ? x : log_special(u, MADD(e, splat_f64(LN2_HIGH), rest));
}

// MARK: Sine and cosine

static const double sin_tail[] = {
    -0.16666666666666666, 0.008333333333333331, -0.00019841269841265027, 2.7557319219310648e-06,
    -2.5052106222548625e-08, 1.60585300511693e-10, -7.586604768695636e-13,
};
static const double cos_tail[] = {
    0.041666666666666664, -0.0013888888888888887, 2.4801587301584625e-05, -2.755731922138697e-07,
    2.0876755785576833e-09, -1.1470460015935359e-11, 4.745820557641365e-14,
};
static const double short_sin_tail[] = {
    -0.16666666663838042, 0.008333331868008532, -0.00019840083117785148, 2.7249457084763215e-06,
};
static const double short_cos_tail[] = {
    0.04166666666430681, -0.001388888766642376, 2.480059735788102e-05, -2.730056799701887e-07,
};

// Above this, n (pi / 2)'s first 33 bits is no longer exact.
#define TRIG_LIMIT 1e6
#define TRIG_ROUNDER 0x1.8p52
#define TWO_OVER_PI 0x1.45f306dc9c883p-1

/// The lanes beyond TRIG_LIMIT, one by one.
CK_OUTLINE pair_f64 reduce_large_angles(f64v x, pair_f64 r, u64v *quadrant)
{
    for (int i = 0; i < CK_F64_LANES; i++) {
        if (!(fabs(x[i]) > TRIG_LIMIT)) continue;
        double high, low;
        (*quadrant)[i] = ck_reduce_large_angle(x[i], &high, &low);
        r.high[i] = high;
        r.low[i] = low;
    }
    return r;
}

/// x - n pi / 2 as a pair, and n modulo 4 in `quadrant`'s last bits. pi / 2 is three parts of 33 bits, exact times n,
/// and a rest: enough for the double that comes nearest to a multiple.
CK_INLINE pair_f64 trig_reduce(f64v x, u64v *quadrant)
{
    f64v shifted = MADD(x, splat_f64(TWO_OVER_PI), splat_f64(TRIG_ROUNDER));
    f64v n = shifted - TRIG_ROUNDER;
    *quadrant = AS(u64v, shifted);
    f64v first = x - n * 0x1.921fb544p+0;
    pair_f64 second = two_sum(first, n * -0x1.0b4611a6p-34);
    pair_f64 third = two_sum(second.high, n * -0x1.3198a2ep-69);
    pair_f64 r = quick_two_sum(third.high, (second.low + third.low) - n * 0x1.b839a252049c1p-104);
    if (__builtin_expect(any_f64(abs_f64(x) > TRIG_LIMIT), 0)) r = reduce_large_angles(x, r, quadrant);
    return r;
}
CK_INLINE f64v sin_core(pair_f64 r)
{
    f64v z = r.high * r.high;
    return r.high + MADD(r.high * z, HORNER(z, sin_tail), r.low * (1 - 0.5 * z));
}
CK_INLINE f64v cos_core(pair_f64 r)
{
    f64v z = r.high * r.high, half = 0.5 * z, one = 1 - half;
    return one + (((1 - one) - half) + (z * z * HORNER(z, cos_tail) - r.high * r.low));
}
CK_INLINE f64v pick_quadrant(f64v sine, f64v cosine, u64v quadrant)
{
    i64v odd = AS(i64v, quadrant << 63);
    f64v value = odd ? cosine : sine;
    return AS(f64v, AS(u64v, value) ^ ((quadrant & 2) << 62));
}

CK_INLINE f64v sin_f64(f64v x)
{
    u64v quadrant;
    pair_f64 r = trig_reduce(x, &quadrant);
    return abs_f64(x) < 0x1p-27 ? x : pick_quadrant(sin_core(r), cos_core(r), quadrant);
}
CK_INLINE f64v cos_f64(f64v x)
{
    u64v quadrant;
    pair_f64 r = trig_reduce(x, &quadrant);
    return pick_quadrant(sin_core(r), cos_core(r), quadrant + 1);
}

/// One number is enough for a float's sine. Answers the quadrant.
CK_INLINE u64v short_sin_cos(f64v x, f64v *sine, f64v *cosine)
{
    f64v shifted = MADD(x, splat_f64(TWO_OVER_PI), splat_f64(TRIG_ROUNDER));
    f64v n = shifted - TRIG_ROUNDER;
    u64v quadrant = AS(u64v, shifted);
    pair_f64 r = {(x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34, (f64v)0.0};
    if (__builtin_expect(any_f64(abs_f64(x) > TRIG_LIMIT), 0)) r = reduce_large_angles(x, r, &quadrant);
    f64v z = r.high * r.high;
    *sine = MADD(r.high * z, HORNER(z, short_sin_tail), r.high);
    *cosine = MADD(z * z, HORNER(z, short_cos_tail), 1 - 0.5 * z);
    return quadrant;
}
CK_INLINE f64v short_trig(f64v x, uint64_t turn)
{
    f64v sine, cosine;
    u64v quadrant = short_sin_cos(x, &sine, &cosine);
    return pick_quadrant(sine, cosine, quadrant + (unsigned long)turn);
}
CK_INLINE f64v short_sin(f64v x) { return abs_f64(x) < 0x1p-27 ? x : short_trig(x, 0); }
CK_INLINE f64v short_cos(f64v x) { return short_trig(x, 1); }

// MARK: Sigmoids

/// 1 / (1 + e^-x) and, in `complement`, 1 minus it, neither by subtraction from 1.
#define DEFINE_SIGMOID(name, exponential)                                                        \
    CK_INLINE f64v name(f64v x, f64v *complement)                                                \
    {                                                                                            \
        f64v z = exponential(neg_f64(abs_f64(x)));                                               \
        f64v large = 1 / (1 + z), small = z / (1 + z);                                           \
        *complement = x > 0 ? small : large;                                                     \
        return x > 0 ? large : small;                                                            \
    }
DEFINE_SIGMOID(sigmoid_pair, exp_f64)
DEFINE_SIGMOID(short_sigmoid_pair, short_exp)

/// tanh |x| = t / (t + 2), t = e^(2 |x|) - 1
#define DEFINE_TANH(name, exponential)                                                           \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v t = exponential(at_most_f64(2 * abs_f64(x), 60));                                   \
        return with_sign_f64(abs_f64(t / (t + 2)), x);                                           \
    }
DEFINE_TANH(tanh_f64, expm1_f64)
DEFINE_TANH(short_tanh, short_expm1)

#endif
