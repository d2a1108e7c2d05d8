#include "convolution_place.h"
#include "winograd.h"

static size_t fast_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    const size_t winograd = ck_winograd_serves(p, pass) ? ck_winograd_workspace(p, pass) : 0;
    const size_t place = ck_place_serves(p, pass) ? ck_place_workspace(p, pass) : 0;
    return winograd > place ? winograd : place;
}

#define REAL float
#define REAL_BYTES 4
#define TYPED(name) name##_f32
#define WINOGRAD(pass, call) (ck_winograd_serves(p, pass) && (call))
#define IN_PLACE(pass, result, source, bias)                                                                         \
    (ck_place_serves(p, pass) && (ck_place_run(p, pass, result, source, w, bias, workspace), 1))
#define FAST_WORKSPACE(p, pass) fast_workspace(p, pass)

#include "convolution_kernels.h"
