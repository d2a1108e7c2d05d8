#include "integers_kernels.h"

#define KERNELS ck_integers_avx512
#define TEXT "integers_isa.h"
#include "isa_avx512.h"
