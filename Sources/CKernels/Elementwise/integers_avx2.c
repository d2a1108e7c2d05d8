#include "integers_kernels.h"

#define KERNELS ck_integers_avx2
#define TEXT "integers_isa.h"
#include "isa_avx2.h"
