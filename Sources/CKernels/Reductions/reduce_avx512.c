#include "reduce_kernels.h"

#define KERNELS ck_reduce_avx512
#define TEXT "reduce_isa.h"
#include "isa_avx512.h"
