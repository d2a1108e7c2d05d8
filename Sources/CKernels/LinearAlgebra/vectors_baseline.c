#include "vectors_kernels.h"

#define KERNELS ck_vectors_baseline
#define TEXT "vectors_isa.h"
#include "isa_baseline.h"
