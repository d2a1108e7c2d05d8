#include "elementwise_kernels.h"

#define KERNELS ck_elementwise_avx512
#define TEXT "elementwise_isa.h"
#include "isa_avx512.h"
