#if defined(__aarch64__)
#define MAX_ROWS 8  // 32 registers
#define DOT_ROWS 4
#else
#define MAX_ROWS 5  // 16 registers, of which a product takes one before it is added
#define DOT_ROWS 2
#endif
#define ISA baseline
#define VECTOR_BYTES 16
#include "matmul_isa.h"
