#include "rows_kernels.h"

#define KERNELS ck_rows_baseline
#define TEXT "rows_isa.h"
#include "isa_baseline.h"
