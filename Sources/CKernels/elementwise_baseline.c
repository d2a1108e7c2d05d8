#include "vector_math_baseline.h"

#define KERNELS ck_elementwise_baseline
#include "elementwise_isa.h"
