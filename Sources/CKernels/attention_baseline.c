#include "vector_math_baseline.h"

#define KERNELS ck_attention_baseline
#define PRODUCT(type) ck_matmul_baseline_##type
#include "attention_isa.h"
