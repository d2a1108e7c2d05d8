#include "optimizers_kernels.h"

#define KERNELS ck_optimizers_avx512
#define TEXT "optimizers_isa.h"
#include "isa_avx512.h"
