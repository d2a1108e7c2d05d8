#include "convolution_plan.h"

#include "ck_pool.h"

ck_conv_product ck_conv_plan(const ck_convolution *p, ck_convolution_pass pass) {
    int backward = pass == CK_CONV_INPUT_GRAD;
    ck_conv_product product = {.batch = p->batch, .groups = p->groups};
    int64_t group_in = p->in_channels / p->groups, group_out = p->out_channels / p->groups;
    product.source_plane = product.result_plane = product.kernel_volume = 1;
    for (int a = 0; a < 3; a++) {
        product.source_size[a] = backward ? p->output[a] : p->input[a];
        product.result_size[a] = backward ? p->input[a] : p->output[a];
        product.kernel[a] = p->kernel[a];
        product.source_plane *= product.source_size[a];
        product.result_plane *= product.result_size[a];
        product.kernel_volume *= p->kernel[a];
        product.phase_count[a] = backward ? ck_conv_min(p->stride[a], p->input[a]) : 1;
    }
    product.source_channels = backward ? group_out : group_in;
    product.result_channels = backward ? group_in : group_out;
    int64_t out_stride = group_in * product.kernel_volume;
    product.weight_row = backward ? product.kernel_volume : out_stride;
    product.weight_channel = backward ? out_stride : product.kernel_volume;
    product.weight_group = group_out * out_stride;
    return product;
}

size_t ck_conv_phase_bytes(const ck_conv_product *product) {
    int64_t axes = product->phase_count[0] + product->phase_count[1] + product->phase_count[2];
    return ck_conv_round_up((size_t)axes * sizeof(ck_conv_axis));
}

static int64_t greatest_common_divisor(int64_t a, int64_t b) {
    while (b != 0) {
        int64_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/// Result coordinates phase, phase + s, ... With u = phase + padding, tap k meets them when k dilation = u (mod s): the
/// first such k and then every (s / gcd)-th, at dy coordinate pixel + (u - k dilation) / s.
static ck_conv_axis input_grad_axis(const ck_convolution *p, int a, int64_t phase) {
    int64_t stride = p->stride[a], dilation = p->dilation[a];
    int64_t common = greatest_common_divisor(stride, dilation);
    int64_t position = phase + p->padding[a];
    int64_t period = stride / common, first = 0;
    while (first < period && (position - first * dilation) % stride != 0) first++;
    int64_t taps = first < period && first < p->kernel[a] ? (p->kernel[a] - 1 - first) / period + 1 : 0;
    int64_t pixels = ck_conv_ceil_div(p->input[a] - phase, stride);
    return (ck_conv_axis){
        .pixels = pixels, .taps = taps,
        .origin = taps > 0 ? (position - first * dilation) / stride : 0, .pixel_step = 1,
        .tap_step = -(dilation / common),
        .first_result = phase, .result_step = pixels > 1 ? stride : 1,
        .first_kernel = first, .kernel_step = period,
    };
}

void ck_conv_plan_phases(ck_conv_product *product, const ck_convolution *p, ck_convolution_pass pass, void *memory) {
    ck_conv_axis *next = memory;
    for (int a = 0; a < 3; a++) {
        product->phases[a] = next;
        int64_t taps_before = 0;
        for (int64_t phase = 0; phase < product->phase_count[a]; phase++, next++) {
            if (pass == CK_CONV_INPUT_GRAD) {
                *next = input_grad_axis(p, a, phase);
            } else {
                *next = (ck_conv_axis){
                    .pixels = p->output[a], .taps = p->kernel[a],
                    .origin = -p->padding[a], .pixel_step = p->stride[a], .tap_step = p->dilation[a],
                    .first_result = 0, .result_step = 1, .first_kernel = 0, .kernel_step = 1,
                };
            }
            next->taps_before = taps_before;
            taps_before += next->taps;
        }
    }
}

ck_conv_phase ck_conv_phase_at(const ck_conv_product *product, int64_t index) {
    ck_conv_phase phase = {.pixels = 1, .taps = 1, .dense = 1};
    for (int a = 2; a >= 0; a--) {
        phase.axis[a] = product->phases[a][index % product->phase_count[a]];
        index /= product->phase_count[a];
        phase.pixels *= phase.axis[a].pixels;
        phase.taps *= phase.axis[a].taps;
        phase.dense &= phase.axis[a].pixels == product->result_size[a];
    }
    const ck_conv_axis *z = &phase.axis[0], *y = &phase.axis[1], *x = &phase.axis[2];
    phase.taps_before = z->taps_before * product->kernel[1] * product->kernel[2]
        + z->taps * (y->taps_before * product->kernel[2] + y->taps * x->taps_before);
    return phase;
}

int ck_conv_find_runs(const ck_conv_product *product, const ck_conv_phase *phase, int64_t group, int64_t first,
                      int64_t count, ck_conv_run *runs) {
    const ck_conv_axis *axis = phase->axis;
    int64_t image = first / phase->pixels, pixel = first % phase->pixels;
    int64_t x = pixel % axis[2].pixels, y = pixel / axis[2].pixels % axis[1].pixels;
    int64_t z = pixel / axis[2].pixels / axis[1].pixels;
    int64_t image_sources = product->groups * product->source_channels * product->source_plane;
    int64_t image_results = product->groups * product->result_channels * product->result_plane;
    int64_t group_source = group * product->source_channels * product->source_plane;
    int64_t group_result = group * product->result_channels * product->result_plane;
    int runs_found = 0;
    for (int64_t start = 0; start < count;) {
        int64_t length = ck_conv_min(axis[2].pixels - x, count - start);
        int64_t result_row = (axis[0].first_result + z * axis[0].result_step) * product->result_size[1]
            + axis[1].first_result + y * axis[1].result_step;
        runs[runs_found++] = (ck_conv_run){
            .start = (int32_t)start, .count = (int32_t)length,
            .source = image * image_sources + group_source,
            .result = image * image_results + group_result + result_row * product->result_size[2]
                + axis[2].first_result + x * axis[2].result_step,
            .z = axis[0].origin + z * axis[0].pixel_step,
            .y = axis[1].origin + y * axis[1].pixel_step,
            .x = axis[2].origin + x * axis[2].pixel_step,
        };
        start += length;
        x = 0;
        if (++y == axis[1].pixels) {
            y = 0;
            if (++z == axis[0].pixels) {
                z = 0;
                image++;
            }
        }
    }
    return runs_found;
}

int ck_conv_join_runs(const ck_conv_phase *phase, ck_conv_run *runs, int run_count) {
    if (!phase->dense || run_count == 0) return run_count;
    int joined = 0;
    for (int r = 1; r < run_count; r++) {
        if (runs[r].result == runs[joined].result + runs[joined].count) {
            runs[joined].count += runs[r].count;
        } else {
            runs[++joined] = runs[r];
        }
    }
    return joined + 1;
}

ck_conv_weights_plan ck_conv_plan_weights(const ck_conv_product *product, int64_t chunk_pixels) {
    int64_t depth = product->source_channels * product->kernel_volume;
    int64_t pixels = product->batch * product->result_plane;
    int64_t chunks = ck_conv_max(1, ck_conv_ceil_div(pixels, chunk_pixels));
    ck_conv_weights_plan plan = {
        .row_blocks = ck_conv_ceil_div(product->result_channels, CK_CONV_DOT_ROWS),
        .column_blocks = ck_conv_ceil_div(depth, CK_CONV_DOT_COLUMNS),
    };
    int64_t blocks = ck_conv_max(1, product->groups * plan.row_blocks * plan.column_blocks);
    int64_t work = product->groups * product->result_channels * depth * pixels;
    int64_t wanted = ck_conv_min(work / CK_CONV_BLOCK_WORK, 4 * CK_CONV_ENOUGH_BLOCKS);
    int64_t parts = ck_conv_max(1, ck_conv_min(ck_conv_min(wanted / blocks, CK_CONV_MAX_PARTS), chunks));
    plan.chunks_per_part = ck_conv_ceil_div(chunks, parts);
    plan.parts = ck_conv_ceil_div(chunks, plan.chunks_per_part);
    return plan;
}

void ck_conv_blocks(int64_t blocks, void (*body)(void *context, int64_t block), void *context) {
    if (blocks == 1) {
        body(context, 0);
    } else if (blocks > 1) {
        ck_parallel(blocks, body, context);
    }
}
