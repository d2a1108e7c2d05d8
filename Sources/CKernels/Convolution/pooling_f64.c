#define REAL double
#define REAL_BYTES 8
#define TYPED(name) name##_f64

#include "pooling_kernels.h"
