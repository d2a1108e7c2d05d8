#include "reduce_kernels.h"

#define KERNELS ck_reduce_baseline
#define TEXT "reduce_isa.h"
#include "isa_baseline.h"
