#include "quantized_kernels.h"

#define KERNELS ck_quantized_avx2
#define TEXT "quantized_isa.h"
#include "isa_avx2.h"
