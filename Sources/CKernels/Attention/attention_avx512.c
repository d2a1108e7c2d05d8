#include "attention_kernels.h"

#define KERNELS ck_attention_avx512
#define PRODUCT(type) ck_matmul_avx512_##type
#define TEXT "attention_isa.h"
#include "isa_avx512.h"
