#include "quantized_kernels.h"

#define KERNELS ck_quantized_avx512
#define TEXT "quantized_isa.h"
#include "isa_avx512.h"
