#if defined(__aarch64__)
#define MAX_ROWS 8  // 32 registers
#else
#define MAX_ROWS 5  // 16 registers, of which a product takes one before it is added
#endif
#define KERNELS ck_winograd_baseline
#define VECTOR_BYTES 16
#include "winograd_isa.h"
