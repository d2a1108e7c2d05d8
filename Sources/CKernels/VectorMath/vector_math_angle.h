#ifndef CK_VECTOR_MATH_ANGLE_H
#define CK_VECTOR_MATH_ANGLE_H

#include <stdint.h>

/// x - n pi / 2 as a sum, for |x| > 2^19; answers n modulo 4 (in the last two bits). NaN for what is not finite.
uint64_t ck_reduce_large_angle(double x, double *high, double *low);

#endif
