#define REAL double
#define REAL_BYTES 8
#define TYPED(name) name##_f64
#define WINOGRAD(pass, call) 0
#define FAST(pass, result, source, bias, rectified) 0
#define FAST_GRADIENT 0
#define FAST_WORKSPACE(p, pass) 0

#include "convolution_kernels.h"
