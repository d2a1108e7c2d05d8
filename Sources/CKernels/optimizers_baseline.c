#include "vector_math_baseline.h"

#define KERNELS ck_optimizers_baseline
#include "optimizers_isa.h"
