#define REAL double
#define REAL_BYTES 8
#define TYPED(name) name##_f64
#define WINOGRAD(pass, call) 0
#define IN_PLACE(pass, result, source, bias) 0
#define GRADIENT_IN_PLACE 0
#define FAST_WORKSPACE(p, pass) 0

#include "convolution_kernels.h"
