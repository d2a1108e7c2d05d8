#include "rows_kernels.h"

#define KERNELS ck_rows_avx512
#define TEXT "rows_isa.h"
#include "isa_avx512.h"
