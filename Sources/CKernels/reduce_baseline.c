#include "vector_math_baseline.h"

#define KERNELS ck_reduce_baseline
#include "reduce_isa.h"
