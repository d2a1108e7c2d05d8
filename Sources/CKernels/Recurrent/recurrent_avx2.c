#include "recurrent_kernels.h"

#define KERNELS ck_recurrent_avx2
#define TEXT "recurrent_isa.h"
#include "isa_avx2.h"
