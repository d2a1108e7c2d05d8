#include "attention_kernels.h"

#define KERNELS ck_attention_avx2
#define PRODUCT(type) ck_matmul_avx2_##type
#define TEXT "attention_isa.h"
#include "isa_avx2.h"
