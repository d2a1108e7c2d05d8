#include "distances_kernels.h"

#define KERNELS ck_distances_avx512
#define TEXT "distances_isa.h"
#include "isa_avx512.h"
