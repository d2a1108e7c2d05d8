#include "channels_kernels.h"

#define KERNELS ck_channels_avx2
#define TEXT "channels_isa.h"
#include "isa_avx2.h"
