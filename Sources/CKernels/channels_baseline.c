#include "vector_math_baseline.h"

#define KERNELS ck_channels_baseline
#include "channels_isa.h"
