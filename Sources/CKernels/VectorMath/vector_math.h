/// Vectors of floats and doubles as wide as one instruction set allows. A source file that is compiled for a set
/// defines CK_VECTOR_BYTES and CK_FUSED (whether it multiplies and adds in one rounding) and includes this inside
/// its target attribute; everything here is private to that file, so one name serves every set.
///
/// No expression here is contracted to a fused one by the compiler: where fusing helps, MADD says so, and where an
/// error term relies on separate roundings nothing breaks it.
#ifndef CK_VECTOR_MATH_H
#define CK_VECTOR_MATH_H

#include <math.h>
#include <stdint.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#define CK_F32_LANES (CK_VECTOR_BYTES / 4)
#define CK_F64_LANES (CK_VECTOR_BYTES / 8)

typedef float f32v __attribute__((ext_vector_type(CK_F32_LANES)));
typedef int32_t i32v __attribute__((ext_vector_type(CK_F32_LANES)));
typedef uint32_t u32v __attribute__((ext_vector_type(CK_F32_LANES)));
typedef double f64v __attribute__((ext_vector_type(CK_F64_LANES)));
// Comparing doubles gives longs, which some systems tell from int64_t.
typedef long i64v __attribute__((ext_vector_type(CK_F64_LANES)));
typedef unsigned long u64v __attribute__((ext_vector_type(CK_F64_LANES)));
/// As many floats (or their masks) as a double vector has lanes.
typedef float f32half __attribute__((ext_vector_type(CK_F64_LANES)));
typedef int32_t i32half __attribute__((ext_vector_type(CK_F64_LANES)));

#if CK_FUSED
#define MADD(a, b, c) __builtin_elementwise_fma(a, b, c)
#define NMADD(a, b, c) __builtin_elementwise_fma(-(a), b, c)
#else
#define MADD(a, b, c) ((a) * (b) + (c))
#define NMADD(a, b, c) ((c) - (a) * (b))
#endif

#define AS(type, value) __builtin_bit_cast(type, value)
#define CK_INLINE static inline __attribute__((always_inline, unused))
#define CK_OUTLINE static __attribute__((noinline, unused))

// MARK: Memory

CK_INLINE f32v load_f32(const float *p) { f32v v; memcpy(&v, p, sizeof v); return v; }
CK_INLINE f64v load_f64(const double *p) { f64v v; memcpy(&v, p, sizeof v); return v; }
CK_INLINE void store_f32(float *p, f32v v) { memcpy(p, &v, sizeof v); }
CK_INLINE void store_f64(double *p, f64v v) { memcpy(p, &v, sizeof v); }
CK_INLINE f32v splat_f32(float x) { return (f32v)x; }
CK_INLINE f64v splat_f64(double x) { return (f64v)x; }

// The first `count` lanes (1 to all but one), the others `fill`. Nothing past them is touched.
#if CK_VECTOR_BYTES == 64
// By halves, for a masked access that straddles cache lines is slow.
CK_INLINE f32v load_part_f32(const float *p, int64_t count, float fill)
{
    f32v v = (f32v)fill;
    const float *rest = count < 8 ? p : p + 8;
    __m256 part = _mm256_mask_loadu_ps(_mm256_set1_ps(fill), (__mmask8)((1u << (count & 7)) - 1), rest);
    if (count < 8) {
        v.lo = part;
    } else {
        v.lo = _mm256_loadu_ps(p);
        v.hi = part;
    }
    return v;
}
CK_INLINE f64v load_part_f64(const double *p, int64_t count, double fill)
{
    f64v v = (f64v)fill;
    const double *rest = count < 4 ? p : p + 4;
    __m256d part = _mm256_mask_loadu_pd(_mm256_set1_pd(fill), (__mmask8)((1u << (count & 3)) - 1), rest);
    if (count < 4) {
        v.lo = part;
    } else {
        v.lo = _mm256_loadu_pd(p);
        v.hi = part;
    }
    return v;
}
CK_INLINE void store_part_f32(float *p, int64_t count, f32v v)
{
    __m256 low = v.lo, high = v.hi;
    if (count >= 8) _mm256_storeu_ps(p, low);
    _mm256_mask_storeu_ps(count < 8 ? p : p + 8, (__mmask8)((1u << (count & 7)) - 1), count < 8 ? low : high);
}
CK_INLINE void store_part_f64(double *p, int64_t count, f64v v)
{
    __m256d low = v.lo, high = v.hi;
    if (count >= 4) _mm256_storeu_pd(p, low);
    _mm256_mask_storeu_pd(count < 4 ? p : p + 4, (__mmask8)((1u << (count & 3)) - 1), count < 4 ? low : high);
}
#elif CK_VECTOR_BYTES == 32
CK_INLINE i32v first_lanes_i32(int64_t count) { return (i32v){0, 1, 2, 3, 4, 5, 6, 7} < (int32_t)count; }
CK_INLINE i64v first_lanes_i64(int64_t count) { return (i64v){0, 1, 2, 3} < (long)count; }
CK_INLINE f32v load_part_f32(const float *p, int64_t count, float fill)
{
    i32v mask = first_lanes_i32(count);
    return mask ? (f32v)_mm256_maskload_ps(p, AS(__m256i, mask)) : (f32v)fill;
}
CK_INLINE f64v load_part_f64(const double *p, int64_t count, double fill)
{
    i64v mask = first_lanes_i64(count);
    return mask ? (f64v)_mm256_maskload_pd(p, AS(__m256i, mask)) : (f64v)fill;
}
CK_INLINE void store_part_f32(float *p, int64_t count, f32v v)
{
    _mm256_maskstore_ps(p, AS(__m256i, first_lanes_i32(count)), v);
}
CK_INLINE void store_part_f64(double *p, int64_t count, f64v v)
{
    _mm256_maskstore_pd(p, AS(__m256i, first_lanes_i64(count)), v);
}
#else
CK_INLINE f32v load_part_f32(const float *p, int64_t count, float fill)
{
    f32v v = (f32v)fill;
    v[0] = p[0];
    if (count > 1) v[1] = p[1];
    if (count > 2) v[2] = p[2];
    return v;
}
CK_INLINE f64v load_part_f64(const double *p, int64_t count, double fill)
{
    (void)count;
    return (f64v){p[0], fill};
}
CK_INLINE void store_part_f32(float *p, int64_t count, f32v v)
{
    p[0] = v[0];
    if (count > 1) p[1] = v[1];
    if (count > 2) p[2] = v[2];
}
CK_INLINE void store_part_f64(double *p, int64_t count, f64v v)
{
    (void)count;
    p[0] = v[0];
}
#endif

// MARK: Widths

CK_INLINE f64v low_f64(f32v x) { return __builtin_convertvector((f32half)x.lo, f64v); }
CK_INLINE f64v high_f64(f32v x) { return __builtin_convertvector((f32half)x.hi, f64v); }
CK_INLINE f32v narrow_f32(f64v low, f64v high)
{
    f32v v;
    v.lo = __builtin_convertvector(low, f32half);
    v.hi = __builtin_convertvector(high, f32half);
    return v;
}

// MARK: Whole vectors

CK_INLINE int any_f32(i32v mask) { return __builtin_reduce_or(mask) != 0; }
CK_INLINE int any_f64(i64v mask) { return __builtin_reduce_or(mask) != 0; }

/// The lanes added as a balanced tree.
CK_INLINE double total_f64(f64v x)
{
#if CK_F64_LANES == 8
    __typeof__(x.lo) four = x.lo + x.hi;
    __typeof__(four.lo) two = four.lo + four.hi;
#elif CK_F64_LANES == 4
    __typeof__(x.lo) two = x.lo + x.hi;
#else
    f64v two = x;
#endif
    return two[0] + two[1];
}

/// The largest lane; a NaN may win or not. By halves: compilers make a chain of comparisons of a reduction that minds NaN.
CK_INLINE float largest_f32(f32v x)
{
#if CK_F32_LANES == 16
    __typeof__(x.lo) eight = x.lo > x.hi ? x.lo : x.hi;
    __typeof__(eight.lo) four = eight.lo > eight.hi ? eight.lo : eight.hi;
#elif CK_F32_LANES == 8
    __typeof__(x.lo) four = x.lo > x.hi ? x.lo : x.hi;
#else
    f32v four = x;
#endif
    __typeof__(four.lo) two = four.lo > four.hi ? four.lo : four.hi;
    return two[0] > two[1] ? two[0] : two[1];
}
CK_INLINE double largest_f64(f64v x)
{
#if CK_F64_LANES == 8
    __typeof__(x.lo) four = x.lo > x.hi ? x.lo : x.hi;
    __typeof__(four.lo) two = four.lo > four.hi ? four.lo : four.hi;
#elif CK_F64_LANES == 4
    __typeof__(x.lo) two = x.lo > x.hi ? x.lo : x.hi;
#else
    f64v two = x;
#endif
    return two[0] > two[1] ? two[0] : two[1];
}

// MARK: Bits

CK_INLINE f32v abs_f32(f32v x) { return AS(f32v, AS(u32v, x) & 0x7fffffffu); }
CK_INLINE f64v abs_f64(f64v x) { return AS(f64v, AS(u64v, x) & 0x7fffffffffffffffu); }
CK_INLINE f32v neg_f32(f32v x) { return AS(f32v, AS(u32v, x) ^ 0x80000000u); }
CK_INLINE f64v neg_f64(f64v x) { return AS(f64v, AS(u64v, x) ^ 0x8000000000000000u); }
/// `magnitude` (not negative) with the sign bit of `sign`.
CK_INLINE f32v with_sign_f32(f32v magnitude, f32v sign)
{
    return AS(f32v, AS(u32v, magnitude) | (AS(u32v, sign) & 0x80000000u));
}
CK_INLINE f64v with_sign_f64(f64v magnitude, f64v sign)
{
    return AS(f64v, AS(u64v, magnitude) | (AS(u64v, sign) & 0x8000000000000000u));
}

// MARK: Bounds. Written so that a NaN passes and x86 needs one instruction.

CK_INLINE f32v at_most_f32(f32v x, float limit) { return (f32v)limit < x ? (f32v)limit : x; }
CK_INLINE f64v at_most_f64(f64v x, double limit) { return (f64v)limit < x ? (f64v)limit : x; }
CK_INLINE f32v at_least_f32(f32v x, float limit) { return (f32v)limit > x ? (f32v)limit : x; }
CK_INLINE f64v at_least_f64(f64v x, double limit) { return (f64v)limit > x ? (f64v)limit : x; }
/// The larger or smaller; a NaN wins, the first one.
CK_INLINE f32v max_f32(f32v a, f32v b) { f32v m = a > b ? a : b; return a != a ? a : m; }
CK_INLINE f64v max_f64(f64v a, f64v b) { f64v m = a > b ? a : b; return a != a ? a : m; }
CK_INLINE f32v min_f32(f32v a, f32v b) { f32v m = a < b ? a : b; return a != a ? a : m; }
CK_INLINE f64v min_f64(f64v a, f64v b) { f64v m = a < b ? a : b; return a != a ? a : m; }

// MARK: Rounding to whole numbers

CK_INLINE f32v sqrt_f32(f32v x) { return __builtin_elementwise_sqrt(x); }
CK_INLINE f64v sqrt_f64(f64v x) { return __builtin_elementwise_sqrt(x); }

#if defined(__x86_64__) && CK_VECTOR_BYTES == 16
// SSE2 has no rounding instruction: adding 2^23 (2^52) pushes the fraction out, half to even.
CK_INLINE f32v round_f32(f32v x)
{
    f32v size = abs_f32(x), rounded = size + 0x1p23f - 0x1p23f;
    return size < 0x1p23f ? with_sign_f32(rounded, x) : x;
}
CK_INLINE f64v round_f64(f64v x)
{
    f64v size = abs_f64(x), rounded = size + 0x1p52 - 0x1p52;
    return size < 0x1p52 ? with_sign_f64(rounded, x) : x;
}
CK_INLINE f32v floor_f32(f32v x)
{
    f32v r = round_f32(x);
    return r > x ? r - 1.0f : r;
}
CK_INLINE f64v floor_f64(f64v x)
{
    f64v r = round_f64(x);
    return r > x ? r - 1.0 : r;
}
CK_INLINE f32v ceil_f32(f32v x) { return neg_f32(floor_f32(neg_f32(x))); }
CK_INLINE f64v ceil_f64(f64v x) { return neg_f64(floor_f64(neg_f64(x))); }
CK_INLINE f32v trunc_f32(f32v x) { return with_sign_f32(abs_f32(floor_f32(abs_f32(x))), x); }
CK_INLINE f64v trunc_f64(f64v x) { return with_sign_f64(abs_f64(floor_f64(abs_f64(x))), x); }
#else
CK_INLINE f32v round_f32(f32v x) { return __builtin_elementwise_roundeven(x); }
CK_INLINE f64v round_f64(f64v x) { return __builtin_elementwise_roundeven(x); }
CK_INLINE f32v floor_f32(f32v x) { return __builtin_elementwise_floor(x); }
CK_INLINE f64v floor_f64(f64v x) { return __builtin_elementwise_floor(x); }
CK_INLINE f32v ceil_f32(f32v x) { return __builtin_elementwise_ceil(x); }
CK_INLINE f64v ceil_f64(f64v x) { return __builtin_elementwise_ceil(x); }
CK_INLINE f32v trunc_f32(f32v x) { return __builtin_elementwise_trunc(x); }
CK_INLINE f64v trunc_f64(f64v x) { return __builtin_elementwise_trunc(x); }
#endif

#endif
