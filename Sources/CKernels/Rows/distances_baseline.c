#include "distances_kernels.h"

#define KERNELS ck_distances_baseline
#define TEXT "distances_isa.h"
#include "isa_baseline.h"
