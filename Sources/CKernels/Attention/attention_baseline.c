#include "attention_kernels.h"

#define KERNELS ck_attention_baseline
#define PRODUCT(type) ck_matmul_baseline_##type
#define TEXT "attention_isa.h"
#include "isa_baseline.h"
