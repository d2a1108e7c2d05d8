#include "vector_math_baseline.h"

#define KERNELS ck_rows_baseline
#include "rows_isa.h"
