#include "vectors_kernels.h"

#define KERNELS ck_vectors_avx2
#define TEXT "vectors_isa.h"
#include "isa_avx2.h"
