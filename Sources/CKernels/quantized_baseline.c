#include "vector_math_baseline.h"

#define KERNELS ck_quantized_baseline
#include "quantized_isa.h"
