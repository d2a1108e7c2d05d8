#include "optimizers_kernels.h"

#define KERNELS ck_optimizers_avx2
#define TEXT "optimizers_isa.h"
#include "isa_avx2.h"
