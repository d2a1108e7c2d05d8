#include "optimizers_kernels.h"

#define KERNELS ck_optimizers_baseline
#define TEXT "optimizers_isa.h"
#include "isa_baseline.h"
