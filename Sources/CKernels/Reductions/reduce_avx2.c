#include "reduce_kernels.h"

#define KERNELS ck_reduce_avx2
#define TEXT "reduce_isa.h"
#include "isa_avx2.h"
