#include "convolution_place.h"
#include "convolution_rows.h"
#include "winograd.h"

static size_t fast_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    const size_t winograd = ck_winograd_serves(p, pass) ? ck_winograd_workspace(p, pass) : 0;
    size_t place = 0;
    if (pass == CK_CONV_WEIGHT_GRAD) {
        if (ck_place_gradient_serves(p)) place = ck_place_gradient_workspace(p);
    } else if (ck_place_serves(p, pass)) {
        place = ck_place_workspace(p, pass);
    }
    const size_t rows = ck_rows_serves(p, pass) ? ck_rows_workspace(p, pass) : 0;
    const size_t more = place > rows ? place : rows;
    return winograd > more ? winograd : more;
}

/// The forward pass or the input gradient. Answers whether it is done.
static int run_fast(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                    const float *bias, int rectified, void *workspace) {
    if (ck_place_serves(p, pass)) {
        ck_place_run(p, pass, result, source, w, bias, rectified, workspace);
    } else if (ck_rows_serves(p, pass)) {
        ck_rows_run(p, pass, result, source, w, bias, rectified, workspace);
    } else {
        return 0;
    }
    return 1;
}

static int run_fast_gradient(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace) {
    if (ck_rows_serves(p, CK_CONV_WEIGHT_GRAD)) {
        ck_rows_gradient(p, dw, dy, x, workspace);
    } else if (ck_place_gradient_serves(p)) {
        ck_place_gradient(p, dw, dy, x, workspace);
    } else {
        return 0;
    }
    return 1;
}

#define REAL float
#define REAL_BYTES 4
#define TYPED(name) name##_f32
#define WINOGRAD(pass, call) (ck_winograd_serves(p, pass) && (call))
#define FAST(pass, result, source, bias, rectified) run_fast(p, pass, result, source, w, bias, rectified, workspace)
#define FAST_GRADIENT run_fast_gradient(p, dw, dy, x, workspace)
#define FAST_WORKSPACE(p, pass) fast_workspace(p, pass)

#include "convolution_kernels.h"

// Channels last: Winograd's way, the rows where the source lies as they need it, or the one in place.

typedef enum channels_last_way { NO_WAY, WINOGRAD_WAY, ROWS_WAY, PLACE_WAY } channels_last_way;

static channels_last_way channels_last_way_of(const ck_convolution *p, ck_convolution_pass pass) {
    if (ck_winograd_serves(p, pass)) return WINOGRAD_WAY;
    const int rows = ck_rows_serves(p, pass);
    if (pass == CK_CONV_WEIGHT_GRAD) return rows ? ROWS_WAY : ck_place_gradient_serves(p) ? PLACE_WAY : NO_WAY;
    const int channels_last = pass == CK_CONV_INPUT_GRAD ? p->y_channels_last : p->x_channels_last;
    if (ck_place_serves(p, pass) && !(rows && channels_last)) return PLACE_WAY;
    return rows ? ROWS_WAY : NO_WAY;
}

int ck_convolution_channels_last_serves(const ck_convolution *p, ck_convolution_pass pass) {
    return channels_last_way_of(p, pass) != NO_WAY;
}

int ck_convolution_channels_last(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *first,
                                 const float *second, const float *bias, int rectified, void *workspace) {
    const int is_weight = pass == CK_CONV_WEIGHT_GRAD;
    switch (channels_last_way_of(p, pass)) {
    case NO_WAY: return 0;
    case WINOGRAD_WAY:
        if (is_weight) return ck_winograd_weight_grad(p, result, first, second, workspace);
        if (pass == CK_CONV_INPUT_GRAD) return ck_winograd_input_grad(p, result, first, second, workspace);
        return ck_winograd_forward(p, result, first, second, bias, rectified, workspace);
    case ROWS_WAY:
        if (is_weight) ck_rows_gradient(p, result, first, second, workspace);
        else ck_rows_run(p, pass, result, first, second, bias, rectified, workspace);
        return 1;
    case PLACE_WAY:
        if (is_weight) ck_place_gradient(p, result, first, second, workspace);
        else ck_place_run(p, pass, result, first, second, bias, rectified, workspace);
        return 1;
    }
}
