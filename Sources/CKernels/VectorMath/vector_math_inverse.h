/// Tangent, hyperbolic sine and cosine, and the inverses of all six, for double vectors. See vector_math_f64.h for `short_`.
#ifndef CK_VECTOR_MATH_INVERSE_H
#define CK_VECTOR_MATH_INVERSE_H

#include "vector_math_f64.h"

// MARK: Tangent

CK_INLINE f64v tangent(f64v sine, f64v cosine, u64v quadrant)
{
    i64v odd = AS(i64v, quadrant << 63);
    return (odd ? neg_f64(cosine) : sine) / (odd ? sine : cosine);
}
CK_INLINE f64v tan_f64(f64v x)
{
    u64v quadrant;
    pair_f64 r = trig_reduce(x, &quadrant);
    return abs_f64(x) < 0x1p-27 ? x : tangent(sin_core(r), cos_core(r), quadrant);
}
CK_INLINE f64v short_tan(f64v x)
{
    f64v sine, cosine;
    u64v quadrant = short_sin_cos(x, &sine, &cosine);
    return abs_f64(x) < 0x1p-27 ? x : tangent(sine, cosine, quadrant);
}

// MARK: Arc tangent

// atan(t) = t + t^3 this(t^2), |t| <= tan(pi / 8); 2^-57 and 2^-33 of it.
static const double atan_tail[] = {
    -0.3333333333333333, 0.19999999999995516, -0.14285714284665682, 0.11111111015187018, -0.09090904575306488,
    0.07692183125376885, -0.06664510525508843, 0.058581409048656254, -0.050854078345862384, 0.039230447784709195,
    -0.01917540471101196,
};
static const double short_atan_tail[] = {
    -0.3333333327922454, 0.19999977248233528, -0.1428415062973021, 0.11071354571200326, -0.08624598215190177,
    0.050479374320275223,
};
#define HALF_PI 0x1.921fb54442d18p+0
#define HALF_PI_LOW 0x1.1a62633145c07p-54

/// The angle of the point (x, y) of the first quadrant: the diagonal or an axis is taken off where it is nearer.
#define DEFINE_ATAN(prefix, suffix, tail)                                                        \
    CK_INLINE f64v prefix##first_quadrant##suffix(f64v y, f64v x)                                \
    {                                                                                            \
        i64v steep = y > 2.414213562373095 * x, middle = ~steep & (y > 0.41421356237309503 * x); \
        f64v t = (steep ? neg_f64(x) : middle ? y - x : y) / (steep ? y : middle ? y + x : x), z = t * t; \
        f64v base = steep ? (f64v)HALF_PI : middle ? (f64v)(HALF_PI / 2) : (f64v)0.0;            \
        f64v low = steep ? (f64v)HALF_PI_LOW : middle ? (f64v)(HALF_PI_LOW / 2) : (f64v)0.0;     \
        return base + (t + MADD(t * z, HORNER(z, tail), low));                                   \
    }                                                                                            \
    CK_INLINE f64v prefix##atan##suffix(f64v x)                                                  \
    {                                                                                            \
        return with_sign_f64(abs_f64(prefix##first_quadrant##suffix(abs_f64(x), splat_f64(1))), x); \
    }                                                                                            \
    CK_INLINE f64v prefix##atan2##suffix(f64v y, f64v x)                                         \
    {                                                                                            \
        f64v up = abs_f64(y), across = abs_f64(x);                                               \
        i64v undefined = (up == across) & ((up == 0) | (up == (f64v)INFINITY));                  \
        f64v scale = ((up > 0x1p1000) | (across > 0x1p1000)) ? (f64v)0x1p-100 : (f64v)1.0;       \
        up = undefined ? (up == 0 ? (f64v)0.0 : (f64v)1.0) : up * scale;                         \
        f64v angle = prefix##first_quadrant##suffix(up, undefined ? (f64v)1.0 : across * scale); \
        i64v left = AS(i64v, x) < 0;                                                             \
        angle = left ? (2 * HALF_PI - angle) + 2 * HALF_PI_LOW : angle;                          \
        return with_sign_f64(abs_f64(angle), y);                                                 \
    }
DEFINE_ATAN(, _f64, atan_tail)
DEFINE_ATAN(short_, , short_atan_tail)

// MARK: Arc sine and cosine

// asin(s) = s + s^3 this(s^2), |s| <= 1/2; 2^-57 and 2^-34 of it.
static const double asin_tail[] = {
    0.16666666666666669, 0.07499999999998433, 0.04464285714635543, 0.030381944138531247, 0.02237217294214989,
    0.017352392720869945, 0.013971212973553311, 0.011479177415181617, 0.0103228143502052, 0.005457506718563782,
    0.01740087944288715, -0.014851887071528912, 0.028757851367602328,
};
static const double short_asin_tail[] = {
    0.16666666686085643, 0.07499992404401837, 0.044647663888135104, 0.03026913872858556, 0.023611817008916063,
    0.010574415516834683, 0.030974540371451798,
};

/// asin of |x| <= 1/2, else of sqrt((1 - |x|) / 2): asin |x| = pi / 2 minus twice that. In two parts.
#define DEFINE_ASIN(prefix, suffix, tail)                                                        \
    CK_INLINE pair_f64 prefix##half_asin##suffix(f64v x)                                         \
    {                                                                                            \
        f64v size = abs_f64(x), z = size > 0.5 ? MADD(size, splat_f64(-0.5), splat_f64(0.5)) : size * size; \
        f64v root = sqrt_f64(z), s = size > 0.5 ? root : size;                                   \
        f64v lost = NMADD(s, s, z) * 0.5 / s;                                                    \
        f64v low = ((size > 0.5) & (s != 0)) ? lost : (f64v)0.0;                                 \
        return (pair_f64){s, MADD(s * z, HORNER(z, tail), low)};                                 \
    }                                                                                            \
    CK_INLINE f64v prefix##asin##suffix(f64v x)                                                  \
    {                                                                                            \
        pair_f64 angle = prefix##half_asin##suffix(x);                                           \
        f64v far = HALF_PI - (2 * angle.high - (HALF_PI_LOW - 2 * angle.low));                   \
        return with_sign_f64(abs_f64(abs_f64(x) > 0.5 ? far : angle.high + angle.low), x);       \
    }                                                                                            \
    CK_INLINE f64v prefix##acos##suffix(f64v x)                                                  \
    {                                                                                            \
        pair_f64 angle = prefix##half_asin##suffix(x);                                           \
        f64v twice = 2 * (angle.high + angle.low);                                               \
        f64v far = x > 0 ? twice : 2 * HALF_PI - (twice - 2 * HALF_PI_LOW);                      \
        f64v low = HALF_PI_LOW - with_sign_f64(abs_f64(angle.low), x);                           \
        return abs_f64(x) > 0.5 ? far : HALF_PI - (x - low);                                     \
    }
DEFINE_ASIN(, _f64, asin_tail)
DEFINE_ASIN(short_, , short_asin_tail)

// MARK: Hyperbolic functions

/// With e^|x| = 2^n (1 + p), half of e^|x| and of e^-|x|. At half the scale, so that 2^1024 does not overflow too early.
#define DEFINE_HYPERBOLIC(prefix, suffix, core, log1p)                                           \
    CK_INLINE f64v prefix##half_exponentials(f64v x, f64v *large, f64v *small)                   \
    {                                                                                            \
        f64v n;                                                                                  \
        u64v bits;                                                                               \
        f64v p = core(exp_reduce(at_most_f64(abs_f64(x), 710.5), &n, &bits));                    \
        *large = AS(f64v, (bits + (1021 - 2046)) << 52);                                         \
        *small = n > 1000 ? (f64v)0.0 : AS(f64v, (1021 + 2046 - bits) << 52);                    \
        return p;                                                                                \
    }                                                                                            \
    CK_INLINE f64v prefix##sinh##suffix(f64v x)                                                  \
    {                                                                                            \
        f64v large, small, p = prefix##half_exponentials(x, &large, &small);                     \
        f64v sum = (large - small) + MADD(large, p, small * (p / (1 + p)));                      \
        return abs_f64(x) < 0x1p-28 ? x : with_sign_f64(2 * sum, x);                             \
    }                                                                                            \
    CK_INLINE f64v prefix##cosh##suffix(f64v x)                                                  \
    {                                                                                            \
        f64v large, small, p = prefix##half_exponentials(x, &large, &small);                     \
        return 2 * (MADD(large, p, large) + small / (1 + p));                                    \
    }                                                                                            \
    CK_INLINE f64v prefix##asinh##suffix(f64v x)                                                 \
    {                                                                                            \
        f64v size = abs_f64(x), square = size * size;                                            \
        i64v huge = size > 0x1p500;                                                              \
        f64v sum = log1p(huge ? size : size + square / (1 + sqrt_f64(1 + square)));              \
        return with_sign_f64(sum + (huge ? (f64v)0x1.62e42fefa39efp-1 : (f64v)0.0), x);          \
    }                                                                                            \
    CK_INLINE f64v prefix##acosh##suffix(f64v x)                                                 \
    {                                                                                            \
        f64v t = x - 1;                                                                          \
        i64v huge = x > 0x1p500;                                                                 \
        f64v sum = log1p(huge ? x : t + sqrt_f64(t * (t + 2)));                                  \
        return x < 1 ? (f64v)NAN : sum + (huge ? (f64v)0x1.62e42fefa39efp-1 : (f64v)0.0);        \
    }                                                                                            \
    CK_INLINE f64v prefix##atanh##suffix(f64v x)                                                 \
    {                                                                                            \
        f64v size = abs_f64(x), twice = 2 * size;                                                \
        f64v argument = size < 0.5 ? MADD(twice, size / (1 - size), twice) : twice / (1 - size); \
        return with_sign_f64(0.5 * log1p(argument), x);                                          \
    }
DEFINE_HYPERBOLIC(, _f64, exp_core, log1p_f64)
DEFINE_HYPERBOLIC(short_, , short_exp_core, short_log1p)

/// sqrt(a^2 + b^2)
CK_INLINE f64v hypot_f64(f64v a, f64v b)
{
    a = abs_f64(a), b = abs_f64(b);
    f64v larger = max_f64(a, b);
    f64v scale = larger > 0x1p500 ? (f64v)0x1p-600 : larger < 0x1p-400 ? (f64v)0x1p600 : (f64v)1.0;
    f64v back = larger > 0x1p500 ? (f64v)0x1p600 : larger < 0x1p-400 ? (f64v)0x1p-600 : (f64v)1.0;
    f64v x = a * scale, y = b * scale;
    f64v root = sqrt_f64(MADD(x, x, y * y)) * back;
    return ((a == (f64v)INFINITY) | (b == (f64v)INFINITY)) ? (f64v)INFINITY : root;
}
/// The squares of floats neither overflow nor underflow in double.
CK_INLINE f64v short_hypot(f64v a, f64v b)
{
    f64v infinite = abs_f64(a) == (f64v)INFINITY ? abs_f64(a) : abs_f64(b);
    return infinite == (f64v)INFINITY ? infinite : sqrt_f64(MADD(a, a, b * b));
}

#endif
