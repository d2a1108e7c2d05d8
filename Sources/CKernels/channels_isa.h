/// The operations on channels for one instruction set: included with what vector_math.h asks for and with KERNELS, the
/// table's name.
#include "channels_kernels.h"
#include "vector_math_f32.h"

#define T(name) name##_f32
#define REAL float
#define VECTOR f32v
#define LANES CK_F32_LANES
#define PARTS 2
#define WIDEN(x, h) ((h) ? high_f64(x) : low_f64(x))
#define NARROW(parts) narrow_f32(parts[0], parts[1])
#include "rows_vectors_body.h"
#include "channels_body.h"
#undef T
#undef REAL
#undef VECTOR
#undef LANES
#undef PARTS
#undef WIDEN
#undef NARROW

#define T(name) name##_f64
#define REAL double
#define VECTOR f64v
#define LANES CK_F64_LANES
#define PARTS 1
#define WIDEN(x, h) (x)
#define NARROW(parts) (parts[0])
#include "rows_vectors_body.h"
#include "channels_body.h"

const ck_channels_kernels KERNELS = {
    .norm = {{norm_runs_f32, norm_neighbours_f32}, {norm_runs_f64, norm_neighbours_f64}},
    .norm_grad = {{norm_grad_runs_f32, norm_grad_neighbours_f32}, {norm_grad_runs_f64, norm_grad_neighbours_f64}},
};
