// Every convolution kernel of one element type, once for each instruction set. The including file defines REAL,
// REAL_BYTES (4 or 8), TYPED(name), the public name for this type, and of faster ways WINOGRAD(pass, call), whether it
// made the call and all its results are finite, FAST(pass, result, source, bias, rectified) and FAST_GRADIENT,
// whether it did it, and FAST_WORKSPACE(p, pass), what they need.

#include <stdint.h>
#include <string.h>

#include "ck_convolution.h"
#include "ck_elementwise.h"
#include "ck_isa.h"
#include "convolution_plan.h"

#define UNROLL _Pragma("clang loop unroll(full)")
#define PASTE_NAMES(a, b) a##_##b
#define PASTE(a, b) PASTE_NAMES(a, b)
#define K(name) PASTE(name, ISA_NAME)

#define COLUMN_SCRATCH (CK_CONV_SCRATCH_BYTES / REAL_BYTES)  // elements of packed columns, on the stack
#define COLUMN_CHUNK 512                                     // the depth of a product's columns at a time
#define DOT_PIXELS (CK_CONV_DOT_BYTES / REAL_BYTES)          // of a chunk of the weight gradient
#define DOT_STRIP 12                                         // columns packed at a time there
#define SCATTER_TILES 16                                     // tiles of rows between two rounds of additions
#define RUNS_MAX DOT_PIXELS                                  // when every pixel is a run of its own
#define CLIPS_MAX 1024
#define ZEROS 2048
#define DIRECT_ROWS 32                                       // of the source that go at a time

#pragma STDC FP_CONTRACT ON

// A tile of 4 by 3 needs all 16 registers of AVX2, and the compiler, left to itself, moves the loads of weights
// together and spills a sum. This pins the rows' order.
#define PIN_THREE(v) __asm__ volatile("" : "+x"((v)[0]), "+x"((v)[1]), "+x"((v)[2]))
#define LEAVE_ORDER(v) (void)(v)

// The tiles are as large as the registers allow: sums, one vector of each column, and a weight.
#define ISA_NAME baseline
#define KEEP_ORDER LEAVE_ORDER
#define VECTOR_BYTES 16
#if defined(__x86_64__)
#define TILE_ROWS 4
#define TILE_VECTORS 2
#define DOT_ROWS 4
#define DOT_COLUMNS 2
#else
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DOT_ROWS 8
#define DOT_COLUMNS 3
#endif
#include "convolution_isa_body.h"

#if defined(__x86_64__)

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#define ISA_NAME avx2
#define KEEP_ORDER PIN_THREE
#define VECTOR_BYTES 32
#define TILE_ROWS 4
#define TILE_VECTORS 3
#define DOT_ROWS 4
#define DOT_COLUMNS 3
#include "convolution_isa_body.h"
#pragma clang attribute pop

#define AVX512 "avx2,fma,avx512f,avx512dq,avx512bw,avx512vl"
#pragma clang attribute push(__attribute__((target(AVX512))), apply_to = function)
#define ISA_NAME avx512
#define KEEP_ORDER LEAVE_ORDER
#define VECTOR_BYTES 64
#define TILE_ROWS 8
#define TILE_VECTORS 3
#define DOT_ROWS 8
#define DOT_COLUMNS 3
#include "convolution_isa_body.h"
#pragma clang attribute pop

#endif

#if defined(__x86_64__)
#define DISPATCH(name, ...)                                              \
    do {                                                                 \
        ck_isa isa = ck_isa_current();                                   \
        if (isa == CK_ISA_AVX512) name##_avx512(__VA_ARGS__);            \
        else if (isa == CK_ISA_AVX2) name##_avx2(__VA_ARGS__);           \
        else name##_baseline(__VA_ARGS__);                               \
    } while (0)
#else
#define DISPATCH(name, ...) name##_baseline(__VA_ARGS__)
#endif

static size_t direct_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    ck_conv_product product = ck_conv_plan(p, pass);
    int64_t depth = product.source_channels * product.kernel_volume;
    size_t phases = ck_conv_phase_bytes(&product);
    if (pass == CK_CONV_WEIGHT_GRAD) {
        ck_conv_weights_plan plan = ck_conv_plan_weights(&product, DOT_PIXELS);
        int64_t elements = plan.parts > 1 ? plan.parts * product.groups * product.result_channels * depth : 0;
        return phases + (size_t)elements * REAL_BYTES;
    }
    // The input gradient has two ways to go, and the tables of both.
    if (pass == CK_CONV_INPUT_GRAD) {
        ck_conv_product forward = ck_conv_plan(p, CK_CONV_FORWARD);
        phases += ck_conv_phase_bytes(&forward);
    }
    int64_t padded_rows = ck_conv_ceil_div(product.result_channels, CK_CONV_MAX_TILE_ROWS) * CK_CONV_MAX_TILE_ROWS;
    return phases + (size_t)(product.groups * padded_rows * depth) * REAL_BYTES;
}

size_t TYPED(ck_convolution_workspace)(const ck_convolution *p, ck_convolution_pass pass) {
    size_t direct = direct_workspace(p, pass), fast = FAST_WORKSPACE(p, pass);
    return fast > direct ? fast : direct;
}

void TYPED(ck_convolution)(const ck_convolution *p, REAL *y, const REAL *x, const REAL *w, const REAL *bias,
                           int rectified, void *workspace) {
    if (WINOGRAD(CK_CONV_FORWARD, ck_winograd_forward(p, y, x, w, bias, rectified, workspace))) return;
    if (FAST(CK_CONV_FORWARD, y, x, bias, rectified)) return;
    ck_conv_product product = ck_conv_plan(p, CK_CONV_FORWARD);
    ck_conv_plan_phases(&product, p, CK_CONV_FORWARD, workspace);
    REAL *packed = (REAL *)((char *)workspace + ck_conv_phase_bytes(&product));
    DISPATCH(product, &product, y, x, w, bias, packed);
    if (!rectified) return;
    const ck_loop all = ck_loop_run(p->batch * p->out_channels * product.result_plane, 1, 0, 0);
    TYPED(ck_unary)(CK_RELU, &all, y, y);
}

void TYPED(ck_convolution_input_grad)(const ck_convolution *p, REAL *dx, const REAL *dy, const REAL *w,
                                      void *workspace) {
    if (WINOGRAD(CK_CONV_INPUT_GRAD, ck_winograd_input_grad(p, dx, dy, w, workspace))) return;
    if (FAST(CK_CONV_INPUT_GRAD, dx, dy, 0, 0)) return;
    ck_conv_product product = ck_conv_plan(p, CK_CONV_INPUT_GRAD);
    ck_conv_plan_phases(&product, p, CK_CONV_INPUT_GRAD, workspace);
    ck_conv_product forward = ck_conv_plan(p, CK_CONV_FORWARD);
    char *behind = (char *)workspace + ck_conv_phase_bytes(&product);
    ck_conv_plan_phases(&forward, p, CK_CONV_FORWARD, behind);
    REAL *packed = (REAL *)(behind + ck_conv_phase_bytes(&forward));
    DISPATCH(input_grad, &product, &forward, dx, dy, w, packed);
}

void TYPED(ck_convolution_weight_grad)(const ck_convolution *p, REAL *dw, const REAL *dy, const REAL *x,
                                       void *workspace) {
    if (WINOGRAD(CK_CONV_WEIGHT_GRAD, ck_winograd_weight_grad(p, dw, dy, x, workspace))) return;
    if (FAST_GRADIENT) return;
    ck_conv_product product = ck_conv_plan(p, CK_CONV_WEIGHT_GRAD);
    ck_conv_plan_phases(&product, p, CK_CONV_WEIGHT_GRAD, workspace);
    REAL *sums = (REAL *)((char *)workspace + ck_conv_phase_bytes(&product));
    DISPATCH(weight_grad, &product, dw, dy, x, sums);
}
