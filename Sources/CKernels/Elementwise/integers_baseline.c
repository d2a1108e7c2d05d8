#include "integers_kernels.h"

#define KERNELS ck_integers_baseline
#define TEXT "integers_isa.h"
#include "isa_baseline.h"
