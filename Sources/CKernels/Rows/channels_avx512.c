#include "channels_kernels.h"

#define KERNELS ck_channels_avx512
#define TEXT "channels_isa.h"
#include "isa_avx512.h"
