#include "distances_kernels.h"

#define KERNELS ck_distances_avx2
#define TEXT "distances_isa.h"
#include "isa_avx2.h"
