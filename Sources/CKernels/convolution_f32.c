#include "winograd.h"

#define REAL float
#define REAL_BYTES 4
#define TYPED(name) name##_f32
#define FAST(pass, call) (ck_winograd_serves(p, pass) && (call))
#define FAST_WORKSPACE(p, pass) (ck_winograd_serves(p, pass) ? ck_winograd_workspace(p, pass) : 0)

#include "convolution_kernels.h"
