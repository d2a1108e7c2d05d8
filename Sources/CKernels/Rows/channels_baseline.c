#include "channels_kernels.h"

#define KERNELS ck_channels_baseline
#define TEXT "channels_isa.h"
#include "isa_baseline.h"
