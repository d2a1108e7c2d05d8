#include "recurrent_kernels.h"

#define KERNELS ck_recurrent_baseline
#define TEXT "recurrent_isa.h"
#include "isa_baseline.h"
