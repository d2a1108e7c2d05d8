#define REAL float
#define REAL_BYTES 4
#define TYPED(name) name##_f32

#include "pooling_kernels.h"
