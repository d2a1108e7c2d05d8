#include <math.h>

#include "vector_math_angle.h"

// 2 / pi in binary: 64 zeros, then the digits after the point.
static const uint64_t two_over_pi[] = {
    0x0000000000000000, 0xa2f9836e4e441529, 0xfc2757d1f534ddc0, 0xdb6295993c439041,
    0xfe5163abdebbc561, 0xb7246e3a424dd2e0, 0x06492eea09d1921c, 0xfe1deb1cb129a73e,
    0xe88235f52ebb4484, 0xe99c7026b45f7e41, 0x3991d639835339f4, 0x9c845f8bbdf9283b,
    0x1ff897ffde05980f, 0xef2f118b5a0a6d1f, 0x6d367ecf27cb09b7, 0x4f463f669e5fea2d,
    0x7527bac7ebe5f17b, 0x3d0739f78a5292ea, 0x6bfb5fb11f8d5d08, 0x56033046fc7b6bab,
    0xf0cfbc209af4361d, 0xa9e391615ee61b08,
};

// Payne and Hanek: of x 2 / pi only the value modulo 4 matters, so for x = m 2^e the digits of 2 / pi whose product
// with m 2^e is a multiple of 4 are left out, and 256 of the next ones are enough: no double comes nearer to a
// multiple of pi / 2 than about 2^-62.
uint64_t ck_reduce_large_angle(double x, double *high, double *low)
{
    if (!isfinite(x)) {
        *high = *low = NAN;
        return 0;
    }
    int exponent;
    uint64_t m = (uint64_t)(frexp(fabs(x), &exponent) * 0x1p53);
    unsigned first = 64 + (unsigned)(exponent - 53 - 2);  // the digit of weight 2^-(e - 1), after the zeros
    unsigned word = first / 64, shift = first % 64;
    uint64_t product[4];  // m times the digits, most significant word first, modulo 4 = 2^256
    unsigned __int128 carry = 0;
    for (int k = 3; k >= 0; k--) {
        const uint64_t *at = two_over_pi + word + (unsigned)k;
        uint64_t digits = shift ? at[0] << shift | at[1] >> (64 - shift) : at[0];
        carry += (unsigned __int128)digits * m;
        product[k] = (uint64_t)carry;
        carry >>= 64;
    }
    // The nearest whole number, and as a signed fraction of 2^256 what is left.
    uint64_t quadrant = (product[0] + (1ull << 61)) >> 62;
    uint64_t part[3];
    for (int k = 0; k < 3; k++) part[k] = product[k] << 2 | product[k + 1] >> 62;
    int negative = part[0] >> 63 != 0;
    if (negative)
        for (int k = 0; k < 3; k++) part[k] = ~part[k];
    int scale = -64;
    if (part[0] == 0) {
        part[0] = part[1], part[1] = part[2], part[2] = 0;
        scale -= 64;
    }
    int zeros = part[0] ? __builtin_clzll(part[0]) : 0;
    if (zeros) {
        part[0] = part[0] << zeros | part[1] >> (64 - zeros);
        part[1] = part[1] << zeros | part[2] >> (64 - zeros);
    }
    // 53 digits, and the 64 after them.
    double fraction = ldexp((double)(part[0] >> 11), scale - zeros + 11);
    double rest = ldexp((double)(part[0] << 53 | part[1] >> 11), scale - zeros + 11 - 64);
    const double half_pi = 0x1.921fb54442d18p+0, half_pi_low = 0x1.1a62633145c07p-54;
    double top = fraction * half_pi;
    double bottom = fma(fraction, half_pi, -top) + (fraction * half_pi_low + rest * half_pi);
    if (negative != (x < 0)) top = -top, bottom = -bottom;
    *high = top;
    *low = bottom;
    return x < 0 ? -quadrant : quadrant;
}
