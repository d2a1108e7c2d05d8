#include "vectors_kernels.h"

#define KERNELS ck_vectors_avx512
#define TEXT "vectors_isa.h"
#include "isa_avx512.h"
