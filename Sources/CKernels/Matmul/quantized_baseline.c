#include "quantized_kernels.h"

#define KERNELS ck_quantized_baseline
#define TEXT "quantized_isa.h"
#include "isa_baseline.h"
