/// The error function, the activations around it, and powers, for double vectors. See vector_math_f64.h for `short_`.
#ifndef CK_VECTOR_MATH_SPECIAL_H
#define CK_VECTOR_MATH_SPECIAL_H

#include "vector_math_f64.h"

// MARK: The error function

// (1 + 2 a) e^(a^2) erfc(a) in t = (a - 3) / (a + 3), which maps 0 <= a <= 28.5 (10.7 for the short one) into
// -1...0.81. The factors leave a function that is nearly flat.
static const double scaled_erfc[] = {
    1.2530080582697296, -0.1356211061245807, -0.047562294353446055, 0.12964515870270674, -0.11927366341554416,
    0.06830802734576415, -0.023770514913937224, 0.0025293917889036557, 0.0018886903091815883, -0.0007798320435020403,
    -0.00010515947518254091, 0.0001250981811675896, 4.9480999111481404e-06, -2.0096729199781912e-05,
    -7.274998681019412e-07, 3.464205248370816e-06, 3.4891228555428936e-07, -6.052736528350745e-07,
    -1.3110991326501397e-07, 9.205670051510656e-08, 3.2961782057401945e-08, -8.56013974464918e-09,
    -4.235582752607375e-09,
};
static const double short_scaled_erfc[] = {
    1.2530080583181953, -0.13562115174978484, -0.04756233913674788, 0.12964677623083967, -0.1192715355909827,
    0.06829287537343715, -0.02379684594718727, 0.002575363393887183, 0.0020051188878618047, -0.0007831565318630288,
    -0.0002717489908107492,
};
// erf(x) / x in x^2, |x| <= 1.
static const double erf_near[] = {
    1.1283791670955126, -0.3761263890318375, 0.11283791670954879, -0.026866170645076792, 0.0052239776248180145,
    -0.000854832698083379, 0.0001205533111164271, -1.4925595266831182e-05, 1.6461000484121368e-06,
    -1.6350312701054695e-07, 1.4659775274047436e-08, -1.1372848856791674e-09, 5.957176147748911e-11,
};
static const double short_erf_near[] = {
    1.1283791670615435, -0.3761263846802871, 0.11283782495236845, -0.026865430727670243, 0.005221031807858023,
    -0.0008484080405535107, 0.00011265959025606609, -9.667044571486996e-06,
};

/// e^(a^2) erfc(a), 0 <= a <= 28.5 (10.7)
CK_INLINE f64v erfcx(f64v a) { return HORNER((a - 3) / (a + 3), scaled_erfc) / (1 + 2 * a); }
CK_INLINE f64v short_erfcx(f64v a)
{
    f64v first = a + 3, second = 1 + 2 * a, inverse = 1 / (first * second);
    return HORNER((a - 3) * second * inverse, short_scaled_erfc) * (first * inverse);
}

CK_INLINE f64v erf_f64(f64v x)
{
    f64v near = x * HORNER(x * x, erf_near);
    f64v a = at_most_f64(abs_f64(x), 8);
    f64v far = with_sign_f64(1 - exp_f64(-a * a) * erfcx(a), x);
    return abs_f64(x) < 1 ? near : far;
}
CK_INLINE f64v short_erf(f64v x)
{
    f64v near = x * HORNER(x * x, short_erf_near);
    f64v a = at_most_f64(abs_f64(x), 8);
    f64v far = with_sign_f64(1 - short_exp(-a * a) * short_erfcx(a), x);
    return abs_f64(x) < 1 ? near : far;
}

/// 1 - erf(x), itself where it is small. It vanishes beyond 28.5 (10.7).
#define DEFINE_ERFC(name, bound, squared_exponential, erfcx, erf_near)                           \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v a = at_most_f64(abs_f64(x), bound), tail = squared_exponential(a) * erfcx(a);       \
        f64v near = NMADD(x, HORNER(x * x, erf_near), splat_f64(1));                             \
        return a < 0.5 ? near : x < 0 ? 2 - tail : tail;                                         \
    }
/// e^(-a^2), with the part of a^2 that does not fit a double.
CK_INLINE f64v squared_exponential(f64v a)
{
    pair_f64 square = two_product(a, a);
    return exp_with_low(-square.high, -square.low);
}
CK_INLINE f64v short_squared_exponential(f64v a) { return short_exp(-a * a); }
DEFINE_ERFC(erfc_f64, 28.5, squared_exponential, erfcx, erf_near)
DEFINE_ERFC(short_erfc, 10.7, short_squared_exponential, short_erfcx, short_erf_near)

// erf^-1(x) / x in w = -log(1 - x^2) up to 5, and in sqrt(w) - 4 from there to 36.8: 2^-30 of it.
static const double erfinv_near[] = {
    0.886226926012728, 0.23201363449182114, 0.011549642311943902, -0.0023361899810589483, -0.00012603974090259214,
    4.449148950856352e-05, 3.379043998080623e-06, -1.5365237502996534e-06, 6.944752800202537e-08, 1.9979368431342497e-08,
    -2.8952175329886906e-09, 1.2095703578096098e-10,
};
static const double erfinv_far[] = {
    3.8397837958002095, 1.0094932564595145, 0.0012599109993658558, -0.0008690385484509585, 0.0003205383483696127,
    -0.00011764933752468164, 5.672205099271898e-05, -3.302561199331583e-05, 1.736873234039542e-05,
    -8.292328284844143e-06, 3.899398521576461e-06, -8.436554927853649e-07, -6.017376370631475e-07,
    4.2420312132123173e-07, -3.847620359941501e-08, -2.9803044555824575e-08, 6.4003970855306385e-09,
};

CK_INLINE f64v short_erfinv(f64v x)
{
    f64v size = abs_f64(x), w = neg_f64(short_log((1 - size) * (1 + size)));
    f64v ratio = HORNER(w, erfinv_near);
    if (any_f64(w > 5)) ratio = w > 5 ? HORNER(sqrt_f64(w) - 4, erfinv_far) : ratio;
    return size == 1 ? x * (f64v)INFINITY : x * ratio;
}
/// One step of Halley's method, which triples the digits. Near 1 the difference of erf values would lose its digits; that of the
/// complements keeps them.
CK_INLINE f64v erfinv_f64(f64v x)
{
    f64v size = abs_f64(x), start = short_erfinv(size), y = at_most_f64(start, 8);
    f64v density = exp_f64(-y * y);
    f64v far = (1 - size) / density - erfcx(y), near = MADD(y, HORNER(y * y, erf_near), neg_f64(size)) / density;
    f64v step = 0x1.c5bf891b4ef6bp-1 * (size < 0.75 ? near : far);  // sqrt(pi) / 2
    f64v better = y - step / MADD(y, step, splat_f64(1));
    return with_sign_f64(abs_f64(start < 8 ? better : start), x);
}

// MARK: Activations. For x < 0 the tail e^(-x^2 / 2) erfcx(-x / sqrt 2) / 2 of the normal distribution is evaluated
// itself; for x > 0 it is what is taken from 1. The bounds only keep infinity times 0 out.

#define SQRT_HALF 0x1.6a09e667f3bcdp-1
#define NORMAL_DENSITY 0x1.9884533d43651p-2 /* 1 / sqrt(2 pi) */

/// e^(-x^2 / 2), with the part of x^2 that does not fit a double.
CK_INLINE f64v gaussian(f64v x)
{
    pair_f64 square = two_product(x, x);
    return exp_with_low(-0.5 * square.high, -0.5 * square.low);
}
CK_INLINE f64v short_gaussian(f64v x) { return short_exp(-0.5 * (x * x)); }

/// `both` gives f(x) and sets f'(x); from it come `value` and `slope_of`, each without the work for the other.
#define DEFINE_VALUE_AND_SLOPE(vector, both, value, slope_of)                                    \
    CK_INLINE vector value(vector x)                                                             \
    {                                                                                            \
        vector slope;                                                                            \
        return both(x, &slope);                                                                  \
    }                                                                                            \
    CK_INLINE vector slope_of(vector x)                                                          \
    {                                                                                            \
        vector slope;                                                                            \
        both(x, &slope);                                                                         \
        return slope;                                                                            \
    }

#define DEFINE_GELU(name, bound, gaussian, erfcx)                                                \
    CK_INLINE f64v name(f64v x, f64v *slope)                                                     \
    {                                                                                            \
        f64v size = at_most_f64(abs_f64(x), bound), tail = 0.5 * erfcx(size * SQRT_HALF);        \
        f64v density = gaussian(size);                                                           \
        f64v below = NMADD(size, splat_f64(NORMAL_DENSITY), tail) * density;                     \
        *slope = x > 0 ? 1 - below : below;                                                      \
        f64v negative = (at_least_f64(x, -bound) * tail) * density;                              \
        return x > 0 ? x * (1 - tail * density) : negative;                                      \
    }
DEFINE_GELU(gelu_with_slope_f64, 40, gaussian, erfcx)
DEFINE_VALUE_AND_SLOPE(f64v, gelu_with_slope_f64, gelu_f64, gelu_slope_f64)
DEFINE_GELU(short_gelu_with_slope, 15.1, short_gaussian, short_erfcx)

#define SQRT_8_OVER_PI 0x1.9884533d43651p+0
#define GELU_CUBE 0.044715

/// x / (1 + e^-w) and its derivative, w a function of x with the sign of x.
#define DEFINE_GATES(prefix, suffix, exponential, sigmoid_pair, bound)                           \
    CK_INLINE f64v prefix##gate(f64v x, f64v w)                                                  \
    {                                                                                            \
        f64v z = exponential(neg_f64(abs_f64(w))), quotient = at_least_f64(x, -bound) / (1 + z); \
        return x > 0 ? quotient : quotient * z;                                                  \
    }                                                                                            \
    CK_INLINE f64v prefix##silu_with_slope##suffix(f64v x, f64v *slope)                          \
    {                                                                                            \
        f64v rest, bounded = at_least_f64(at_most_f64(x, bound), -bound);                        \
        f64v s = sigmoid_pair(x, &rest);                                                         \
        *slope = s * MADD(bounded, rest, splat_f64(1));                                          \
        return prefix##gate(x, x);                                                               \
    }                                                                                            \
    CK_INLINE f64v prefix##gelu_tanh_with_slope##suffix(f64v x, f64v *slope)                     \
    {                                                                                            \
        f64v rest, bounded = at_least_f64(at_most_f64(x, 30), -30), square = bounded * bounded;  \
        f64v w = bounded * SQRT_8_OVER_PI * MADD(square, splat_f64(GELU_CUBE), splat_f64(1));    \
        f64v bend = SQRT_8_OVER_PI * MADD(square, splat_f64(3 * GELU_CUBE), splat_f64(1));       \
        f64v s = sigmoid_pair(w, &rest);                                                         \
        *slope = s * MADD(bounded * bend, rest, splat_f64(1));                                   \
        return prefix##gate(x, x * SQRT_8_OVER_PI * MADD(x * x, splat_f64(GELU_CUBE), splat_f64(1))); \
    }
DEFINE_GATES(, _f64, exp_f64, sigmoid_pair, 1000)
DEFINE_VALUE_AND_SLOPE(f64v, silu_with_slope_f64, silu_f64, silu_slope_f64)
DEFINE_VALUE_AND_SLOPE(f64v, gelu_tanh_with_slope_f64, gelu_tanh_f64, gelu_tanh_slope_f64)
DEFINE_GATES(short_, , short_exp, short_sigmoid_pair, 1000)
DEFINE_VALUE_AND_SLOPE(f64v, short_silu_with_slope, short_silu, short_silu_slope)
DEFINE_VALUE_AND_SLOPE(f64v, short_gelu_tanh_with_slope, short_gelu_tanh, short_gelu_tanh_slope)

/// log(1 + e^x)
CK_INLINE f64v softplus_f64(f64v x)
{
    return (x > 0 ? x : (f64v)0.0) + log1p_f64(exp_f64(neg_f64(abs_f64(x))));
}
/// A float's z needs no more than 1 + z in double, until it is all there is.
CK_INLINE f64v short_softplus(f64v x)
{
    f64v z = short_exp(neg_f64(abs_f64(x))), e, f = log_reduce(1 + z, &e);
    f64v logarithm = MADD(e, splat_f64(0x1.62e42fefa39efp-1), f - short_log_tail(f));
    return (x > 0 ? x : (f64v)0.0) + (z >= 0x1p-27 ? logarithm : z);
}

// MARK: Powers

// atanh(s) = s + s^3 (1/3 + s^2 this)
static const double atanh_second_tail[] = {
    0.20000000000000015, 0.14285714285668694, 0.1111111113580511, 0.09090904082364613, 0.07692790411814159,
    0.06642878657263734, 0.06458044256586666,
};

CK_INLINE pair_f64 pair_product(pair_f64 a, pair_f64 b)
{
    pair_f64 p = two_product(a.high, b.high);
    return (pair_f64){p.high, p.low + MADD(a.high, b.low, a.low * b.high)};
}

/// The logarithm to about 68 bits: a power y magnifies its relative error by up to 745.
CK_INLINE pair_f64 log_pair(f64v x)
{
    f64v e, f = log_reduce(x, &e);
    pair_f64 divisor = quick_two_sum((f64v)2.0, f);
    pair_f64 s = {f / divisor.high, (f64v)0.0};
    pair_f64 back = two_product(s.high, divisor.high);
    s.low = (((f - back.high) - back.low) - s.high * divisor.low) / divisor.high;
    pair_f64 z = pair_product(s, s);
    pair_f64 series = quick_two_sum((f64v)0x1.5555555555555p-2, z.high * HORNER(z.high, atanh_second_tail));
    series.low += 0x1.5555555555555p-56;
    pair_f64 cubic = pair_product(s, pair_product(z, series));
    pair_f64 sum = quick_two_sum(s.high, cubic.high);
    sum.low += s.low + cubic.low;
    pair_f64 total = quick_two_sum(e * LN2_HIGH, 2 * sum.high);
    total.low += MADD(e, splat_f64(LN2_LOW), 2 * sum.low);
    return quick_two_sum(total.high, total.low);
}
CK_INLINE f64v power_core(f64v x, f64v y)
{
    pair_f64 logarithm = log_pair(x);
    pair_f64 p = two_product(y, logarithm.high);
    f64v low = MADD(y, logarithm.low, p.low);
    return exp_with_low(p.high, abs_f64(p.high) < 1000 ? low : (f64v)0.0);
}
CK_INLINE f64v short_power_core(f64v x, f64v y)
{
    f64v e, f = log_reduce(x, &e);
    f64v rest = f - NMADD(e, splat_f64(LN2_LOW), short_log_tail(f));
    return short_exp(y * MADD(e, splat_f64(LN2_HIGH), rest));
}

/// What IEEE 754 says of x^y beyond |x|^y for positive finite |x|. `y` is bounded for `core`, far beyond overflow.
#define DEFINE_POWER(name, core)                                                                 \
    CK_INLINE f64v name(f64v x, f64v y)                                                          \
    {                                                                                            \
        f64v size = abs_f64(x), half = 0.5 * y;                                                  \
        f64v value = core(size, at_least_f64(at_most_f64(y, 0x1p70), -0x1p70));                  \
        i64v whole = round_f64(y) == y, odd = whole & (round_f64(half) != half);                 \
        i64v to_zero = (size == 0) ^ (y < 0);                                                    \
        value = ((size == 0) | (size == (f64v)INFINITY)) ? (to_zero ? (f64v)0.0 : (f64v)INFINITY) : value; \
        value = odd ? AS(f64v, AS(u64v, value) ^ (AS(u64v, x) & 0x8000000000000000u)) : value;   \
        value = ((x < 0) & (size < (f64v)INFINITY) & ~whole) ? (f64v)NAN : value;                \
        value = ((x != x) | (y != y)) ? x + y : value;                                           \
        return ((x == 1) | (y == 0)) ? (f64v)1.0 : value;                                        \
    }
DEFINE_POWER(power_f64, power_core)
DEFINE_POWER(short_power, short_power_core)

#endif
