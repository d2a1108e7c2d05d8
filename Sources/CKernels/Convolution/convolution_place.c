#include "convolution_place.h"

#include <string.h>

#include "ck_isa.h"
#include "ck_pool.h"

#define LEAST_WIDTH 4
// With fewer taps the results' way into memory takes longest, but for few channels every other way is slower still; with more
// taps, or many channels, packing the source pays.
#define LEAST_TAPS 128
#define MOST_TAPS 2048
#define LEAST_CHANNELS 3
#define LEAST_GRADIENT_CHANNELS 8  // with fewer the input gradient is faster by scattered additions
#define FEW_CHANNELS 16
#define MOST_CHANNELS 128
#define BLOCK_WORK (1 << 20)     // multiplications of a block: some tens of microseconds

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

const place_kernels *ck_place_kernels(ck_isa isa) {
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return &ck_place_avx512;
    if (isa == CK_ISA_AVX2) return &ck_place_avx2;
#endif
    (void)isa;
    return &ck_place_baseline;
}

void ck_place_widen(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count) {
    for (int64_t p = 0; p < count; p++, to += width, from += stride) {
        memcpy(to, from, (size_t)channels * sizeof(float));
        memset(to + channels, 0, (size_t)(width - channels) * sizeof(float));
    }
}

typedef struct place_side {
    int64_t channels, height, width;
    int channels_last;  // whether the channels are the last axis
} place_side;

/// A pass as a plain convolution.
typedef struct place_run {
    const place_kernels *kernels;
    int64_t images;
    place_side source, result;
    int64_t padding_y, padding_x, stride_y, dilation_y, dilation_x, kernel_y, kernel_x;
    int64_t weight_source, weight_result;  // strides in w
    int reversed;
    int64_t row, taps, panel, panels;      // of a padded source, of the kernel and all channels, of the packed weights
    int64_t rows_per_block;
    place_padding padding;                 // of no images where the source is read as it is
    const float *from, *weights, *bias;    // `from` is the source, padded where it must be
    int rectified;                         // the results
    float *packed, *to;
    int64_t *offsets;
} place_run;

static place_run make_run(const ck_convolution *p, ck_convolution_pass pass, ck_isa isa) {
    const int backward = pass == CK_CONV_INPUT_GRAD;
    const place_side x = {p->in_channels, p->input[1], p->input[2], p->x_channels_last};
    const place_side y = {p->out_channels, p->output[1], p->output[2], p->y_channels_last};
    place_run run = {
        .kernels = ck_place_kernels(isa), .images = p->batch, .source = backward ? y : x, .result = backward ? x : y,
        .padding_y = p->padding[1], .padding_x = p->padding[2], .stride_y = p->stride[1],
        .dilation_y = p->dilation[1], .dilation_x = p->dilation[2], .kernel_y = p->kernel[1], .kernel_x = p->kernel[2],
        .weight_source = p->kernel[1] * p->kernel[2], .weight_result = p->in_channels * p->kernel[1] * p->kernel[2],
        .reversed = backward,
    };
    if (backward) {
        run.padding_y = (p->kernel[1] - 1) * p->dilation[1] - p->padding[1];
        run.padding_x = (p->kernel[2] - 1) * p->dilation[2] - p->padding[2];
        const int64_t kept = run.weight_source;
        run.weight_source = run.weight_result;
        run.weight_result = kept;
    }
    run.row = run.source.width + 2 * max(0, run.padding_x);
    run.taps = run.kernel_y * run.kernel_x * run.source.channels;
    run.panel = 2 * run.kernels->lanes;
    run.panels = parts_of(run.result.channels, run.panel);
    run.padding = (place_padding){
        .kernels = run.kernels, .images = run.padding_x > 0 || run.source.channels_last ? run.images : 0,
        .channels = run.source.channels, .height = run.source.height, .width = run.source.width,
        .columns = max(0, run.padding_x), .channels_last = run.source.channels_last,
    };
    return run;
}

int ck_place_serves(const ck_convolution *p, ck_convolution_pass pass) {
    if (pass == CK_CONV_WEIGHT_GRAD || p->groups != 1) return 0;
    if (p->kernel[0] != 1 || p->padding[0] != 0 || p->stride[0] != 1 || p->input[0] != 1) return 0;
    if (p->stride[2] != 1 || p->batch < 1) return 0;
    const int64_t kernel = p->kernel[1] * p->kernel[2];
    const int64_t taps = kernel * (pass == CK_CONV_INPUT_GRAD ? p->out_channels : p->in_channels);
    const int64_t channels = pass == CK_CONV_INPUT_GRAD ? p->in_channels : p->out_channels;
    const int channels_last = pass == CK_CONV_INPUT_GRAD ? p->x_channels_last : p->y_channels_last;
    if (kernel == 1 || (taps < LEAST_TAPS && channels > FEW_CHANNELS && !channels_last) || taps > MOST_TAPS) return 0;
    for (int a = 1; a < 3; a++) {
        if (p->input[a] < 1 || p->output[a] < 1) return 0;
        if (pass == CK_CONV_INPUT_GRAD
            && (p->stride[a] != 1 || p->padding[a] > (p->kernel[a] - 1) * p->dilation[a])) return 0;
    }
    const int64_t width = pass == CK_CONV_INPUT_GRAD ? p->input[2] : p->output[2];
    const int64_t least = pass == CK_CONV_INPUT_GRAD ? LEAST_GRADIENT_CHANNELS : LEAST_CHANNELS;
    return channels >= least && channels <= MOST_CHANNELS && width >= LEAST_WIDTH;
}

// Memory: the offsets, the packed weights, the padded source.

static int64_t packed_elements(const place_run *run) { return run->panels * run->panel * run->taps; }

static size_t offset_bytes(const place_run *run) { return (size_t)parts_of(run->taps, 8) * 64; }

size_t ck_place_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    size_t most = 0;
    for (int isa = (int)CK_ISA_BASELINE; isa <= (int)ck_isa_detected(); isa++) {
        const place_run run = make_run(p, pass, (ck_isa)isa);
        const int64_t elements = packed_elements(&run) + ck_place_padded_elements(&run.padding);
        const size_t bytes = offset_bytes(&run) + (size_t)elements * sizeof(float);
        if (bytes > most) most = bytes;
    }
    return most;
}

// Packing

/// The weights of one panel of channels: all taps in the order of the offsets; zeros for channels that are missing.
static void pack_panel(const place_run *run, int64_t panel) {
    const int64_t first = panel * run->panel, channels = min(run->panel, run->result.channels - first);
    const int64_t width = channels * 2 <= run->panel ? run->panel / 2 : run->panel;
    const float *from = run->weights + first * run->weight_result;
    float *to = run->packed + panel * run->panel * run->taps;
    for (int64_t y = 0; y < run->kernel_y; y++) {
        for (int64_t c = 0; c < run->source.channels; c++) {
            for (int64_t x = 0; x < run->kernel_x; x++, to += width) {
                int64_t tap = y * run->kernel_x + x;
                if (run->reversed) tap = run->kernel_y * run->kernel_x - 1 - tap;
                const float *at = from + c * run->weight_source + tap;
                for (int64_t i = 0; i < channels; i++) to[i] = at[i * run->weight_result];
                for (int64_t i = channels; i < width; i++) to[i] = 0;
            }
        }
    }
}

static void prepare_block(void *context, int64_t block) {
    const place_run *run = context;
    if (block < run->panels) {
        pack_panel(run, block);
    } else {
        ck_place_pad_block(&run->padding, block - run->panels);
    }
}

static void fill_offsets(const place_run *run) {
    int64_t *to = run->offsets;
    for (int64_t y = 0; y < run->kernel_y; y++) {
        for (int64_t c = 0; c < run->source.channels; c++) {
            for (int64_t x = 0; x < run->kernel_x; x++) {
                *to++ = (c * run->source.height + y * run->dilation_y) * run->row + x * run->dilation_x;
            }
        }
    }
}

// Multiplying

/// Some rows of an image for one panel of channels.
static void multiply_block(void *context, int64_t block) {
    const place_run *run = context;
    const place_side *source = &run->source, *result = &run->result;
    const int64_t row_blocks = parts_of(result->height, run->rows_per_block), panel = block % run->panels;
    const int64_t image = block / run->panels / row_blocks;
    const int64_t first = block / run->panels % row_blocks * run->rows_per_block, channel = panel * run->panel;
    const int64_t kernel_row = source->channels * run->kernel_x;
    place_row row = {
        .source = run->from + image * source->channels * source->height * run->row,
        .offsets = run->offsets, .weights = run->packed + panel * run->panel * run->taps,
        .channels = min(run->panel, result->channels - channel), .bias = run->bias ? run->bias + channel : 0,
        .rectified = run->rectified,
        .width = result->width, .pixel = result->channels_last ? result->channels : 1,
        .channel = result->channels_last ? 1 : result->height * result->width, .kernel_x = run->kernel_x,
        .is_full = run->padding_x == run->kernel_x - 1 && run->dilation_x == 1,
    };
    row.vectors = row.channels * 2 <= run->panel ? 1 : 2;
    for (int64_t y = first; y < min(first + run->rows_per_block, result->height); y++) {
        const int64_t top = y * run->stride_y - run->padding_y, dilation = run->dilation_y;
        const int64_t above = top < 0 ? parts_of(-top, dilation) : 0;
        const int64_t below = top < source->height ? parts_of(source->height - top, dilation) : 0;
        row.first = min(above, run->kernel_y) * kernel_row;
        row.end = max(row.first, min(below, run->kernel_y) * kernel_row);
        row.origin = top * run->row - min(0, run->padding_x);
        row.result = run->to + image * result->channels * result->height * result->width + channel * row.channel
            + y * result->width * row.pixel;
        run->kernels->row(&row);
    }
}

void ck_place_run(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                  const float *bias, int rectified, void *workspace) {
    place_run run = make_run(p, pass, ck_isa_current());
    run.weights = w;
    run.bias = bias;
    run.rectified = rectified;
    run.to = result;
    run.offsets = workspace;
    run.packed = (float *)((char *)workspace + offset_bytes(&run));
    run.padding.from = source;
    run.padding.to = run.packed + packed_elements(&run);
    run.from = run.padding.images > 0 ? run.padding.to : source;
    fill_offsets(&run);
    ck_parallel(run.panels + ck_place_padding_blocks(&run.padding), prepare_block, &run);
    const int64_t row_work = run.taps * run.panel * run.result.width + 1;
    run.rows_per_block = max(1, min(run.result.height, BLOCK_WORK / row_work));
    ck_parallel(run.images * parts_of(run.result.height, run.rows_per_block) * run.panels, multiply_block, &run);
}
