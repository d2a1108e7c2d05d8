#include "rows_kernels.h"

#define KERNELS ck_rows_avx2
#define TEXT "rows_isa.h"
#include "isa_avx2.h"
