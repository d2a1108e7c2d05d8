#include "elementwise_kernels.h"

#define KERNELS ck_elementwise_baseline
#define TEXT "elementwise_isa.h"
#include "isa_baseline.h"
