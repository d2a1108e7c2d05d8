#include "elementwise_kernels.h"


const ck_elementwise_kernels *ck_elementwise_current(void) { return CK_CURRENT_TABLE(ck_elementwise); }

// Elements that take some tens of microseconds: memory-bound operations, and those with a polynomial.
#define LIGHT_BLOCK 65536
#define HEAVY_BLOCK 16384

static int64_t unary_block(ck_unary op)
{
    switch (op) {
    case CK_NEG: case CK_ABS: case CK_SIGN: case CK_SQUARE: case CK_CUBE: case CK_SQRT: case CK_RECIPROCAL:
    case CK_INVERSE_SQUARE: case CK_RELU:
    case CK_FLOOR: case CK_CEIL: case CK_ROUND: case CK_TRUNC:
        return LIGHT_BLOCK;
    default: return HEAVY_BLOCK;
    }
}

static int64_t binary_block(ck_binary op)
{
    switch (op) {
    case CK_POW: case CK_ATAN2: case CK_HYPOT: case CK_FMOD: case CK_REMAINDER: case CK_FLOOR_DIVIDE: case CK_XLOGY:
    case CK_LOG_ADD_EXP: case CK_GELU_GRAD: case CK_GELU_TANH_GRAD: case CK_SILU_GRAD: return HEAVY_BLOCK;
    default: return LIGHT_BLOCK;
    }
}

static void run_unary(int is_double, ck_unary op, const ck_loop *loop, void *out, const void *x)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->unary[is_double][op], .operands = 2, .width = {width, width},
        .block = unary_block(op),
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)x});
}
void ck_unary_f32(ck_unary op, const ck_loop *loop, float *out, const float *x) { run_unary(0, op, loop, out, x); }
void ck_unary_f64(ck_unary op, const ck_loop *loop, double *out, const double *x) { run_unary(1, op, loop, out, x); }

static void run_with_slope(int is_double, ck_unary op, const ck_loop *loop, void *value, void *slope, const void *x)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->with_slope[is_double][op], .operands = 3, .width = {width, width, width},
        .also_written = 1 << 1, .block = HEAVY_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){value, slope, (void *)x});
}
void ck_with_slope_f32(ck_unary op, const ck_loop *loop, float *value, float *slope, const float *x)
{
    run_with_slope(0, op, loop, value, slope, x);
}
void ck_with_slope_f64(ck_unary op, const ck_loop *loop, double *value, double *slope, const double *x)
{
    run_with_slope(1, op, loop, value, slope, x);
}

static void run_binary(int is_double, ck_binary op, const ck_loop *loop, void *out, const void *a, const void *b)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->binary[is_double][op], .operands = 3, .width = {width, width, width},
        .may_broadcast = 1 << 1 | 1 << 2, .block = binary_block(op),
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)a, (void *)b});
}
void ck_binary_f32(ck_binary op, const ck_loop *loop, float *out, const float *a, const float *b)
{
    run_binary(0, op, loop, out, a, b);
}
void ck_binary_f64(ck_binary op, const ck_loop *loop, double *out, const double *a, const double *b)
{
    run_binary(1, op, loop, out, a, b);
}

static void run_compare(int is_double, ck_comparison op, const ck_loop *loop, uint8_t *out, const void *a,
                        const void *b)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->compare[is_double][op], .operands = 3, .width = {1, width, width},
        .may_broadcast = 1 << 1 | 1 << 2, .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)a, (void *)b});
}
void ck_compare_f32(ck_comparison op, const ck_loop *loop, uint8_t *out, const float *a, const float *b)
{
    run_compare(0, op, loop, out, a, b);
}
void ck_compare_f64(ck_comparison op, const ck_loop *loop, uint8_t *out, const double *a, const double *b)
{
    run_compare(1, op, loop, out, a, b);
}

static void run_muladd(int is_double, const ck_loop *loop, void *out, const void *a, const void *b, const void *c,
                       double scale)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->muladd[is_double], .parameter = &scale, .operands = 4,
        .width = {width, width, width, width}, .may_broadcast = 1 << 1 | 1 << 2 | 1 << 3, .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)a, (void *)b, (void *)c});
}
void ck_muladd_f32(const ck_loop *loop, float *out, const float *a, const float *b, const float *c, float scale)
{
    run_muladd(0, loop, out, a, b, c, scale);
}
void ck_muladd_f64(const ck_loop *loop, double *out, const double *a, const double *b, const double *c, double scale)
{
    run_muladd(1, loop, out, a, b, c, scale);
}

/// One input, and numbers for all its elements.
static void run_with_numbers(int is_double, ck_row_kernel kernel, const ck_loop *loop, void *out, const void *x, const double *numbers)
{
    uint8_t width = is_double ? 8 : 4;
    ck_row_operation operation = {
        .kernel = kernel, .parameter = numbers, .operands = 2, .width = {width, width}, .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)x});
}
void ck_clamp_f32(const ck_loop *loop, float *out, const float *x, double lower, double upper)
{
    run_with_numbers(0, ck_elementwise_current()->clamp[0], loop, out, x, (double[]){lower, upper});
}
void ck_clamp_f64(const ck_loop *loop, double *out, const double *x, double lower, double upper)
{
    run_with_numbers(1, ck_elementwise_current()->clamp[1], loop, out, x, (double[]){lower, upper});
}
void ck_nan_to_num_f32(const ck_loop *loop, float *out, const float *x, const double numbers[3])
{
    run_with_numbers(0, ck_elementwise_current()->nan_to_num[0], loop, out, x, numbers);
}
void ck_nan_to_num_f64(const ck_loop *loop, double *out, const double *x, const double numbers[3])
{
    run_with_numbers(1, ck_elementwise_current()->nan_to_num[1], loop, out, x, numbers);
}

static void run_clamp_grad(int is_double, const ck_loop *loop, void *out, const void *dy, const void *x, double lower,
                           double upper)
{
    uint8_t width = is_double ? 8 : 4;
    const double bounds[2] = {lower, upper};
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->clamp_grad[is_double], .parameter = bounds, .operands = 3,
        .width = {width, width, width}, .may_broadcast = 1 << 1 | 1 << 2, .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)dy, (void *)x});
}
void ck_clamp_grad_f32(const ck_loop *loop, float *out, const float *dy, const float *x, double lower, double upper)
{
    run_clamp_grad(0, loop, out, dy, x, lower, upper);
}
void ck_clamp_grad_f64(const ck_loop *loop, double *out, const double *dy, const double *x, double lower, double upper)
{
    run_clamp_grad(1, loop, out, dy, x, lower, upper);
}

void ck_convert(ck_conversion op, const ck_loop *loop, void *out, const void *x)
{
    int widens = op == CK_FLOAT_FROM_FLOAT16 || op == CK_FLOAT_FROM_BFLOAT16;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->convert[op], .operands = 2, .width = {widens ? 4 : 2, widens ? 2 : 4},
        .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)x});
}

void ck_select(int width, const ck_loop *loop, void *out, const uint8_t *condition, const void *a, const void *b)
{
    uint8_t size = (uint8_t)width;
    ck_row_operation operation = {
        .kernel = ck_elementwise_current()->select[width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3],
        .operands = 4, .width = {size, 1, size, size}, .may_broadcast = 1 << 2 | 1 << 3, .block = LIGHT_BLOCK,
    };
    ck_run_rows(&operation, loop, (void *[4]){out, (void *)condition, (void *)a, (void *)b});
}
