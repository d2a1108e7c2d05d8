#include "convolution_place.h"
#include "winograd.h"

static size_t fast_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    const size_t winograd = ck_winograd_serves(p, pass) ? ck_winograd_workspace(p, pass) : 0;
    size_t place = 0;
    if (pass == CK_CONV_WEIGHT_GRAD) {
        if (ck_place_gradient_serves(p)) place = ck_place_gradient_workspace(p);
    } else if (ck_place_serves(p, pass)) {
        place = ck_place_workspace(p, pass);
    }
    return winograd > place ? winograd : place;
}

#define REAL float
#define REAL_BYTES 4
#define TYPED(name) name##_f32
#define WINOGRAD(pass, call) (ck_winograd_serves(p, pass) && (call))
#define IN_PLACE(pass, result, source, bias)                                                                         \
    (ck_place_serves(p, pass) && (ck_place_run(p, pass, result, source, w, bias, workspace), 1))
#define GRADIENT_IN_PLACE (ck_place_gradient_serves(p) && (ck_place_gradient(p, dw, dy, x, workspace), 1))
#define FAST_WORKSPACE(p, pass) fast_workspace(p, pass)

#include "convolution_kernels.h"
