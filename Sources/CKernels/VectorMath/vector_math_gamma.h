/// The logarithm of the gamma function, within 7 units in the last place, and its derivative, within 5 for positive arguments. See
/// vector_math_f64.h for `short_`.
#ifndef CK_VECTOR_MATH_GAMMA_H
#define CK_VECTOR_MATH_GAMMA_H

#include "vector_math_f64.h"

// MARK: Positive arguments

// log(Gamma(2 + t)) / t, |t| <= 1/2; 2^-55 and 2^-34 of it.
static const double log_gamma_near[] = {
    0.42278433509846713, 0.3224670334241132, -0.06735230105319563, 0.02058080842778338, -0.007385551028935545,
    0.002890510330865901, -0.0011927539009983087, 0.0005096695196526673, -0.00022315497746292723, 9.945761692157133e-05,
    -4.4923727564247656e-05, 2.050601970174762e-05, -9.45628851510172e-06, 4.3828545383846665e-06,
    -1.9743106888421067e-06, 9.242852225162277e-07, -5.811277768921246e-07, 2.7475390051909663e-07,
};
static const double short_log_gamma_near[] = {
    0.42278433509846713, 0.3224670336740658, -0.06735230116846887, 0.02058078848508634, -0.0073855418319890166,
    0.0028909539767244677, -0.0011929584843006534, 0.0005056692566204219, -0.00022131048050323795,
    0.00011498248215687683, -5.208118739066028e-05,
};
// What Stirling's formula leaves for x >= 8: log(Gamma(x)) = (x - 1/2) log(x) - x + log(2 pi) / 2 + this(1 / x^2) / x.
static const double log_gamma_far[] = {
    0.0833333333333333, -0.002777777777606244, 0.0007936506649488252, -0.0005952025951802712, 0.0008372834512071336,
    -0.0016526004455595122,
};
static const double short_log_gamma_far[] = {0.08333333326463777, -0.0027776985451962778, 0.0007800347189829517};

/// Below 8, Gamma(x) = Gamma(2 + t) (x - 1) (x - 2) ... (2 + t), or Gamma(2 + t) / (x ... (1 + t)), t the distance to the nearest whole
/// number, which is exact.
#define DEFINE_POSITIVE_LOG_GAMMA(name, logarithm, near_series, far_series)                      \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v whole = round_f64(x), t = x - whole, product = whole < 2 ? x : (f64v)1.0; \
        i64v far = x >= 8;                                                                       \
        product *= whole < 1 ? x + 1 : (f64v)1.0;                                                \
        _Pragma("clang loop unroll(full)") for (int k = 1; k <= 6; k++)                          \
            product *= whole - k >= 2 ? x - k : (f64v)1.0;                                       \
        f64v log = logarithm(far ? x : product), inverse = 1 / x;                                \
        f64v near = MADD(t, HORNER(t, near_series), whole < 2 ? neg_f64(log) : log);               \
        f64v rest = MADD(inverse, HORNER(inverse * inverse, far_series), splat_f64(0x1.acfe390c97d69p-2)); \
        return far ? MADD(x - 0.5, log - 1, rest) : near;                                        \
    }
DEFINE_POSITIVE_LOG_GAMMA(positive_log_gamma, log_f64, log_gamma_near, log_gamma_far)
DEFINE_POSITIVE_LOG_GAMMA(short_positive_log_gamma, short_log, short_log_gamma_near, short_log_gamma_far)

// psi(r) / (r - its root) in r - 3/2, 1 <= r <= 2; 2^-55 and 2^-34 of it.
static const double digamma_near[] = {
    0.951055876031833, -0.4236274212814605, 0.2405424842407742, -0.14840492305390884, 0.09498872445494122,
    -0.061922133273064534, 0.04076083381242074, -0.02697579675613825, 0.0179072524394512, -0.011908218001568644,
    0.007926944646403797, -0.005279964873257405, 0.003519006401502276, -0.002345267632540769, 0.0015566317474486838,
    -0.0010376374098418604, 0.0007233266279287554, -0.0004821990530566789, 0.0002272331660987376,
    -0.00015148586836773365, 0.00025968482126430747, -0.00017312261802727394,
};
static const double short_digamma_near[] = {
    0.9510558760493102, -0.42362742129311104, 0.24054247739744206, -0.14840491849208132, 0.09498915988298229,
    -0.061922423533269114, 0.040750504128763916, -0.02696891090160945, 0.018022924420212198, -0.011985325834114543,
    0.007272860198091768, -0.004843948067187809, 0.005280008892140368, -0.0035191575394071706,
};
// psi(x) = log(x) - 1 / (2 x) - this(1 / x^2) / x^2 for x >= 8.
static const double digamma_far[] = {
    0.08333333333333333, -0.008333333333278636, 0.0039682539119537084, -0.0041666448230497, 0.007571689620283902,
    -0.020697987372370493, 0.06362150587634356,
};
static const double short_digamma_far[] = {
    0.08333333333008877, -0.00833332667975135, 0.00396610969887244, -0.003943137111647384,
};

/// Below 8, psi(x) = psi(r) + 1 / (x - 1) + ... + 1 / r, or psi(x + 1) - 1 / x.
#define DEFINE_POSITIVE_DIGAMMA(name, logarithm, near_series, far_series)                        \
    CK_INLINE f64v name(f64v x)                                                                  \
    {                                                                                            \
        f64v r = x < 1 ? x + 1 : x < 2 ? x : x - (floor_f64(x) - 1);                             \
        f64v above = x < 1 ? (f64v)1.0 : (f64v)0.0, below = x < 1 ? neg_f64(x) : (f64v)1.0;      \
        i64v far = x >= 8;                                                                       \
        _Pragma("clang loop unroll(full)") for (int k = 1; k <= 6; k++) {                        \
            i64v counts = x - k >= 1;                                                            \
            above = counts ? MADD(above, x - k, below) : above;                                  \
            below *= counts ? x - k : (f64v)1.0;                                                 \
        }                                                                                        \
        f64v near = ((r - 0x1.762d86356be3fp+0) - 0x1.b86a722197829p-54) * HORNER(r - 1.5, near_series); \
        f64v quotient = (far ? (f64v)1.0 : above) / (far ? x : below), z = quotient * quotient;  \
        f64v rest = MADD(quotient, splat_f64(0.5), z * HORNER(z, far_series));                   \
        if (!any_f64(far)) return near + quotient;                                               \
        return far ? logarithm(x) - rest : near + quotient;                                      \
    }
DEFINE_POSITIVE_DIGAMMA(positive_digamma, log_f64, digamma_near, digamma_far)
DEFINE_POSITIVE_DIGAMMA(short_positive_digamma, short_log, short_digamma_near, short_digamma_far)

// MARK: Negative arguments: by reflection, of which floats need every digit too, for both terms nearly cancel around a root.

// sin(pi f) / (pi f) and pi f / tan(pi f) in f^2, |f| <= 1/2; 2^-61 and 2^-55 of the largest.
static const double sine_over_angle[] = {
    1.0, -1.6449340668482264, 0.8117424252833393, -0.19075182412149616, 0.02614784780555096, -0.0023460808954639607,
    0.0001484278414189103, -6.972099660851199e-06, 2.4502943624559793e-07,
};
static const double angle_over_tangent[] = {
    1.0, -3.289868133696457, -2.164646467420892, -2.034686124154129, -2.0081546994114303, -2.001989699177906,
    -2.000476988640501, -2.000411605909027, -1.9961204155083805, -2.0382547488793725, -1.7276165557713552,
    -3.4058372811319497, 3.161119340676198, -14.943473839672569, 18.391967758914742, -18.39196776824034,
};

/// For x < 0, log |Gamma(x)| = -log(|x sin(pi x)| / pi) - log(Gamma(-x)). `lost` says where the difference has lost digits.
CK_OUTLINE f64v log_gamma_either_side(f64v x, i64v *lost)
{
    // From Gamma(1 - x) where that is small, so that x^2 does not vanish.
    f64v size = abs_f64(x), whole = round_f64(x), f = abs_f64(x - whole), sine = f * HORNER(f * f, sine_over_angle);
    i64v negative = x < 0, small = negative & (size < 0.5);
    f64v log_gamma = positive_log_gamma(small ? 1 + size : size);
    f64v reflected = neg_f64(log_f64(small ? sine : size * sine)), y = reflected - log_gamma;
    *lost = negative & (abs_f64(y) < 0.5 * (abs_f64(reflected) + abs_f64(log_gamma)));
    y = x == whole ? (f64v)INFINITY : y;
    return negative ? y : log_gamma;
}
/// The lanes near a root of a negative argument, one by one.
CK_OUTLINE f64v log_gamma_near_roots(f64v x, f64v y, i64v lost)
{
    for (int i = 0; i < CK_F64_LANES; i++) {
        int sign;
        if (lost[i]) y[i] = lgamma_r(x[i], &sign);
    }
    return y;
}
CK_INLINE f64v lgamma_f64(f64v x)
{
    if (!any_f64(x < 0)) return positive_log_gamma(x);
    i64v lost;
    f64v y = log_gamma_either_side(x, &lost);
    return __builtin_expect(any_f64(lost), 0) ? log_gamma_near_roots(x, y, lost) : y;
}
CK_INLINE f64v short_lgamma(f64v x)
{
    i64v lost;
    return any_f64(x < 0) ? log_gamma_either_side(x, &lost) : short_positive_log_gamma(x);
}

/// For x < 0, psi(x) = psi(1 - x) - pi / tan(pi x). Around a root the absolute error stays as it is.
CK_OUTLINE f64v digamma_either_side(f64v x)
{
    i64v negative = x < 0;
    f64v whole = round_f64(x), f = x - whole, y = positive_digamma(negative ? 1 - x : x);
    f64v reflected = x == whole ? (f64v)NAN : y - HORNER(f * f, angle_over_tangent) / f;
    return negative ? reflected : y;
}
CK_INLINE f64v digamma_f64(f64v x) { return any_f64(x < 0) ? digamma_either_side(x) : positive_digamma(x); }
CK_INLINE f64v short_digamma(f64v x) { return any_f64(x < 0) ? digamma_either_side(x) : short_positive_digamma(x); }

#endif
