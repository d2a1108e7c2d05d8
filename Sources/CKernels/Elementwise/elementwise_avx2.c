#include "elementwise_kernels.h"

#define KERNELS ck_elementwise_avx2
#define TEXT "elementwise_isa.h"
#include "isa_avx2.h"
