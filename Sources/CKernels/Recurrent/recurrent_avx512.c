#include "recurrent_kernels.h"

#define KERNELS ck_recurrent_avx512
#define TEXT "recurrent_isa.h"
#include "isa_avx512.h"
