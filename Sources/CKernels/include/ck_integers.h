#ifndef CK_INTEGERS_H
#define CK_INTEGERS_H

#include "ck_elementwise.h"

/// The types of numbers; the integers come first. A boolean is a uint8 of 0 or 1.
typedef enum ck_number {
    CK_UINT8, CK_INT8, CK_INT16, CK_INT32, CK_INT64, CK_FLOAT, CK_DOUBLE, CK_BOOLEAN, CK_NUMBER_COUNT,
    CK_INTEGER_COUNT = CK_FLOAT,
} ck_number;

/// out = f(a, b). Arithmetic wraps around; divisors are not 0.
typedef enum ck_integer_binary {
    CK_INTEGER_ADD, CK_INTEGER_SUB, CK_INTEGER_MUL, CK_INTEGER_MAXIMUM, CK_INTEGER_MINIMUM, CK_INTEGER_AND,
    CK_INTEGER_OR, CK_INTEGER_XOR, CK_INTEGER_ABS, CK_INTEGER_SIGN, /* of a alone */ CK_INTEGER_FLOOR_DIVIDE, CK_INTEGER_REMAINDER /* sign of b */,
    CK_INTEGER_TRUNC_DIVIDE, CK_INTEGER_FMOD /* sign of a */,
    CK_INTEGER_SHIFT_LEFT, CK_INTEGER_SHIFT_RIGHT, /* by less than 0 or the width or more: every bit goes out */
    CK_INTEGER_BINARY_COUNT
} ck_integer_binary;

void ck_integers(ck_integer_binary op, ck_number type, const ck_loop *loop, void *out, const void *a, const void *b);
/// out = 1 where the comparison holds, else 0.
void ck_compare_integers(ck_comparison op, ck_number type, const ck_loop *loop, uint8_t *out, const void *a, const void *b);
/// out = x as another type, never in place: integers lose their upper bits, floats their fraction (what no int64 holds becomes the
/// smallest int64 first), and anything but 0 is true.
void ck_convert_numbers(ck_number from, ck_number to, const ck_loop *loop, void *out, const void *x);

typedef enum ck_integer_reduction {
    CK_INTEGER_SUM, CK_INTEGER_PRODUCT, CK_INTEGER_LARGEST, CK_INTEGER_SMALLEST, CK_INTEGER_REDUCTION_COUNT
} ck_integer_reduction;

/// x is [outer, length, inner], row-major; the axis in the middle is reduced. Of int64; the largest and the smallest of uint8 too.
void ck_reduce_integers(ck_integer_reduction op, ck_number type, int64_t outer, int64_t length, int64_t inner, void *out,
                        const void *x);

/// c = a b for int64 matrices; rows of b and c are contiguous, the strides of a are free. Sums wrap around.
void ck_integer_product(int64_t m, int64_t n, int64_t k, const int64_t *a, int64_t a_row, int64_t a_column,
                        const int64_t *b, int64_t b_row, int64_t *c);

/// Whether one of `count` bytes is `byte`.
int ck_has_byte(const uint8_t *bytes, int64_t count, uint8_t byte);

#endif
