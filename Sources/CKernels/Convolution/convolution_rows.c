#include "convolution_rows.h"

#include <string.h>

#include "ck_isa.h"
#include "ck_pool.h"
#include "convolution_place.h"
#include "convolution_plan.h"
#include "scratches.h"

#define PAD 16                    // elements between rows of a factor, which else fall on the same lines of a cache
#define CHANNELS 16               // the channels of a pixel are padded to a multiple of this
#define RESULTS 32                // and those of results to one of this: a panel for every instruction set
#define MOST_PIXELS 112           // of a block
#define MOST_DEPTH 576            // of a product
#define MOST_RESULTS 256          // channels of a block
#define ENOUGH_BLOCKS 16
#define PIXELS_AHEAD 8            // whose lines are asked for while a source is copied
#define MOST_TAPS 256             // of a kernel, and of the channels whose weights are packed at a time
#define LEAST_CHANNELS 32
#define LEAST_GRADIENT_CHANNELS 128
#define LEAST_USES 64
#define FACTOR_ELEMENTS (MOST_PIXELS * (MOST_DEPTH + PAD))
#define PRODUCT_ELEMENTS (MOST_PIXELS * MOST_RESULTS)
#define SCRATCH_ELEMENTS (FACTOR_ELEMENTS + PRODUCT_ELEMENTS)
// The weight gradient
#define GRADIENT_PIXELS 256       // summed up at a time
#define GRADIENT_DEPTH 256        // taps by channels of a block
#define GRADIENT_ELEMENTS (GRADIENT_PIXELS * (GRADIENT_DEPTH + PAD))

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }
static int64_t round_up(int64_t size, int64_t unit) { return parts_of(size, unit) * unit; }

/// How a pass is cut up: blocks of pixels of one phase of rows, by panels of result channels.
typedef struct rows_plan {
    int64_t images, channels, panels;       // channels of the source, padded; panels of RESULTS
    int64_t steps, pixels;                  // phases of a row, and pixels of each
    int64_t taps_at_once, channels_at_once;  // of a product
    int64_t block_pixels, pixel_blocks, block_panels, panel_blocks, scratches;
    size_t packed, scratch, bytes;          // offsets in elements, and all in bytes
} rows_plan;

static rows_plan make_plan(const ck_conv_product *product) {
    rows_plan plan = {.images = product->batch, .channels = round_up(product->source_channels, CHANNELS)};
    plan.panels = parts_of(product->result_channels, RESULTS);
    plan.steps = product->phase_count[2];
    plan.pixels = parts_of(product->result_size[2], plan.steps);
    plan.channels_at_once = min(plan.channels, MOST_DEPTH / CHANNELS * CHANNELS);
    plan.taps_at_once = min(product->kernel_volume, MOST_DEPTH / plan.channels_at_once);
    // The rows of phase 0 are the most.
    const int64_t pixels = plan.images * parts_of(product->result_size[1], product->phase_count[1]) * plan.pixels;
    const int64_t most = MOST_PIXELS / plan.steps;
    plan.block_pixels = parts_of(pixels, parts_of(pixels, most));
    plan.pixel_blocks = parts_of(pixels, plan.block_pixels);
    const int64_t wanted = parts_of(ENOUGH_BLOCKS, plan.pixel_blocks * product->phase_count[1]);
    plan.block_panels = min(parts_of(plan.panels, min(plan.panels, wanted)), MOST_RESULTS / RESULTS);
    plan.panel_blocks = parts_of(plan.panels, plan.block_panels);
    plan.scratches = min(product->phase_count[1] * plan.pixel_blocks * plan.panel_blocks, CK_MOST_SCRATCHES);
    plan.packed = (size_t)(plan.images * product->source_plane * plan.channels);
    plan.scratch = plan.packed + (size_t)(plan.panels * RESULTS * plan.channels * product->kernel_volume);
    plan.bytes = (plan.scratch + (size_t)(plan.scratches * SCRATCH_ELEMENTS)) * sizeof(float);
    return plan;
}

typedef struct rows_run {
    const place_kernels *kernels;
    const ck_conv_product *product;
    rows_plan plan;
    const float *source, *weights, *bias;
    int rectified, source_channels_last, result_channels_last;
    const float *standing;  // the source with the channels of a pixel together, `plan.channels` of them
    int64_t turned;         // images that are brought into that form: all or none
    float *result, *memory;
    int64_t pack_channels;
    _Atomic unsigned taken;
} rows_run;

// Turning the source and the weights

/// The taps of some source channels for one panel of results, RESULTS to a row; zeros for channels that are missing.
static void take_taps(const rows_run *run, int64_t panel, int64_t first, int64_t count, float *rows) {
    const ck_conv_product *product = run->product;
    const int64_t volume = product->kernel_volume, stride = product->weight_row;
    const int64_t results = min(RESULTS, product->result_channels - panel * RESULTS);
    const int64_t there = max(0, min(count, product->source_channels - first));
    const float *from = run->weights + panel * RESULTS * stride + first * product->weight_channel;
    if (stride == 1) {
        for (int64_t c = 0; c < there; c++) {
            memcpy(rows + c * RESULTS, from + c * product->weight_channel, (size_t)results * sizeof(float));
            memset(rows + c * RESULTS + results, 0, (size_t)(RESULTS - results) * sizeof(float));
        }
    } else if (product->weight_channel == volume) {
        run->kernels->stand(rows, from, results, stride, RESULTS, there * volume);
    } else {
        for (int64_t c = 0; c < there; c++) {
            run->kernels->stand(rows + c * volume * RESULTS, from + c * product->weight_channel, results, stride, RESULTS,
                                volume);
        }
    }
    memset(rows + there * volume * RESULTS, 0, (size_t)((count - there) * volume * RESULTS) * sizeof(float));
}

/// The weights of some source channels: for each phase and panel of results the taps, a row of RESULTS for each channel.
static void pack_weights(const rows_run *run, int64_t first, int64_t count) {
    const ck_conv_product *product = run->product;
    const int64_t panels = run->plan.panels, channels = run->plan.channels, volume = product->kernel_volume;
    const int64_t phases = product->phase_count[1] * product->phase_count[2];
    float rows[RESULTS * MOST_TAPS] __attribute__((aligned(64)));
    for (int64_t panel = 0; panel < panels; panel++) {
        take_taps(run, panel, first, count, rows);
        for (int64_t index = 0; index < phases; index++) {
            const ck_conv_phase phase = ck_conv_phase_at(product, index);
            const ck_conv_axis *y = &phase.axis[1], *x = &phase.axis[2];
            float *to = run->memory + run->plan.packed
                + ((phase.taps_before * panels + panel * phase.taps) * channels + first) * RESULTS;
            for (int64_t tap = 0; tap < phase.taps; tap++, to += channels * RESULTS) {
                const int64_t at = (y->first_kernel + tap / x->taps * y->kernel_step) * product->kernel[2]
                    + x->first_kernel + tap % x->taps * x->kernel_step;
                for (int64_t c = 0; c < count; c++) {
                    memcpy(to + c * RESULTS, rows + (c * volume + at) * RESULTS, RESULTS * sizeof(float));
                }
            }
        }
    }
}

/// An image with the channels of a pixel together, zeros behind them.
static void stand_image(const rows_run *run, int64_t image) {
    const ck_conv_product *product = run->product;
    const int64_t plane = product->source_plane, channels = product->source_channels, width = run->plan.channels;
    const float *from = run->source + image * plane * channels;
    float *to = run->memory + image * plane * width;
    if (!run->source_channels_last) {
        run->kernels->stand(to, from, channels, plane, width, plane);
        return;
    }
    ck_place_widen(to, from, channels, channels, width, plane);
}

/// Says where all images stand, and how many have to be brought there.
static void find_source(rows_run *run) {
    const int in_place = run->source_channels_last && run->product->source_channels == run->plan.channels;
    run->standing = in_place ? run->source : run->memory;
    run->turned = in_place ? 0 : run->product->batch;
}

static void prepare_block(void *context, int64_t block) {
    const rows_run *run = context;
    if (block < run->turned) {
        stand_image(run, block);
        return;
    }
    const int64_t first = (block - run->turned) * run->pack_channels;
    pack_weights(run, first, min(run->pack_channels, run->plan.channels - first));
}

// Multiplying

/// Some results of one phase of rows: numbered through the rows of all images, `pixels` to a row.
typedef struct rows_piece {
    int64_t first, count, panel, panels;
} rows_piece;

/// What the pixels of a piece see of the source for some taps of a phase, `channels` from `channel` on of each.
static void gather(const rows_run *run, const rows_piece *piece, const ck_conv_phase *phase, int64_t tap, int64_t taps,
                   int64_t channel, int64_t channels, float *to, int64_t row) {
    const ck_conv_product *product = run->product;
    const ck_conv_axis *y = &phase->axis[1], *x = &phase->axis[2];
    const int64_t width = product->source_size[2], all = run->plan.channels;
    for (int64_t p = piece->first; p < piece->first + piece->count; p++, to += row) {
        const int64_t line = p / run->plan.pixels, column = p % run->plan.pixels;
        const float *image = run->standing + line / y->pixels * product->source_plane * all + channel;
        for (int64_t t = 0; t < taps; t++) {
            const int64_t at_y = y->origin + line % y->pixels * y->pixel_step + (tap + t) / x->taps * y->tap_step;
            const int64_t at_x = x->origin + column * x->pixel_step + (tap + t) % x->taps * x->tap_step;
            const int inside = at_y >= 0 && at_y < product->source_size[1] && at_x >= 0 && at_x < width;
            float *at = to + t * channels;
            if (inside) {
                const float *from = image + (at_y * width + at_x) * all, *ahead = from + PIXELS_AHEAD * x->pixel_step * all;
                for (int64_t c = 0; c < channels; c += CHANNELS) __builtin_prefetch(ahead + c);
                memcpy(at, from, (size_t)channels * sizeof(float));
            } else {
                memset(at, 0, (size_t)channels * sizeof(float));
            }
        }
    }
}

/// The products of one phase: the results of a pixel are `steps` apart in `product`, which has panel after panel.
static void multiply_phase(const rows_run *run, const rows_piece *piece, const ck_conv_phase *phase, float *factor,
                           float *product) {
    const rows_plan *plan = &run->plan;
    const int64_t depth = phase->taps * plan->channels, panel_elements = plan->block_pixels * plan->steps * RESULTS;
    const float *weights = run->memory + plan->packed
        + (phase->taps_before * plan->panels + piece->panel * phase->taps) * plan->channels * RESULTS;
    if (depth == 0) {
        for (int64_t p = 0; p < piece->panels * plan->block_pixels; p++) {
            memset(product + p * plan->steps * RESULTS, 0, RESULTS * sizeof(float));
        }
    }
    for (int64_t tap = 0; tap < phase->taps; tap += plan->taps_at_once) {
        const int64_t taps = min(plan->taps_at_once, phase->taps - tap);
        for (int64_t channel = 0; channel < plan->channels; channel += plan->channels_at_once) {
            const int64_t channels = min(plan->channels_at_once, plan->channels - channel);
            const int64_t done = tap * plan->channels + channel, row = taps * channels + PAD;
            gather(run, piece, phase, tap, taps, channel, channels, factor, row);
            for (int64_t panel = 0; panel < piece->panels; panel++) {
                const float *b = weights + (panel * depth + done) * RESULTS;
                float *c = product + panel * panel_elements;
                run->kernels->multiply(piece->count, RESULTS, taps * channels, factor, row, 0, b, RESULTS, c,
                                       plan->steps * RESULTS, done > 0);
            }
        }
    }
}

/// Brings the products into the result, row by row.
static void finish(const rows_run *run, const rows_piece *piece, const ck_conv_axis *y, const float *product) {
    const ck_conv_product *geometry = run->product;
    const rows_plan *plan = &run->plan;
    for (int64_t panel = 0; panel < piece->panels; panel++) {
        const int64_t channel = (piece->panel + panel) * RESULTS;
        const int64_t channels = min(RESULTS, geometry->result_channels - channel);
        for (int64_t p = piece->first; p < piece->first + piece->count;) {
            const int64_t line = p / plan->pixels, column = p % plan->pixels;
            const int64_t pixels = min(plan->pixels - column, piece->first + piece->count - p);
            const int64_t x = column * plan->steps, count = min(pixels * plan->steps, geometry->result_size[2] - x);
            const int64_t at_y = y->first_result + line % y->pixels * y->result_step;
            float *image = run->result + line / y->pixels * geometry->result_channels * geometry->result_plane;
            const int64_t pixel = at_y * geometry->result_size[2] + x;
            const float *from = product + (panel * plan->block_pixels + p - piece->first) * plan->steps * RESULTS;
            const float *bias = run->bias ? run->bias + channel : 0;
            if (run->result_channels_last) {
                run->kernels->put(image + pixel * geometry->result_channels + channel, from, channels,
                                  geometry->result_channels, RESULTS, count, bias, run->rectified);
            } else {
                run->kernels->lie(image + channel * geometry->result_plane + pixel, from, channels,
                                  geometry->result_plane, RESULTS, count, bias, run->rectified);
            }
            p += pixels;
        }
    }
}

static void multiply_block(void *context, int64_t block) {
    rows_run *run = context;
    const ck_conv_product *product = run->product;
    const rows_plan *plan = &run->plan;
    rows_piece piece = {.panel = block % plan->panel_blocks * plan->block_panels};
    piece.panels = min(plan->block_panels, plan->panels - piece.panel);
    piece.first = block / plan->panel_blocks % plan->pixel_blocks * plan->block_pixels;
    const int64_t phase_y = block / plan->panel_blocks / plan->pixel_blocks;
    const ck_conv_axis *y = &product->phases[1][phase_y];
    piece.count = min(plan->block_pixels, plan->images * y->pixels * plan->pixels - piece.first);
    if (piece.count <= 0) return;
    const int64_t scratch = ck_take_scratch(&run->taken, plan->scratches);
    float *factor = run->memory + plan->scratch + scratch * SCRATCH_ELEMENTS, *products = factor + FACTOR_ELEMENTS;
    for (int64_t step = 0; step < plan->steps; step++) {
        const ck_conv_phase phase = ck_conv_phase_at(product, phase_y * product->phase_count[2] + step);
        multiply_phase(run, &piece, &phase, factor, products + step * RESULTS);
    }
    finish(run, &piece, y, products);
    ck_leave_scratch(&run->taken, scratch);
}

int ck_rows_serves(const ck_convolution *p, ck_convolution_pass pass) {
    if (p->groups != 1 || p->kernel[0] != 1 || p->padding[0] != 0 || p->stride[0] != 1 || p->input[0] != 1) return 0;
    if (p->in_channels < LEAST_CHANNELS || p->out_channels < LEAST_CHANNELS || p->batch < 1) return 0;
    if (p->input[1] < 1 || p->input[2] < 1 || p->output[1] < 1 || p->output[2] < 1) return 0;
    const int64_t taps = p->kernel[1] * p->kernel[2];
    if (taps > MOST_TAPS) return 0;
    if (pass == CK_CONV_INPUT_GRAD) return p->stride[2] <= MOST_PIXELS;
    if (p->x_channels_last) return 1;
    // Every number of x is turned else, those too that a stride leaves out.
    const int64_t uses = taps * p->out_channels * p->output[1] * p->output[2] / (p->input[1] * p->input[2]);
    if (pass == CK_CONV_WEIGHT_GRAD && p->in_channels < LEAST_GRADIENT_CHANNELS && ck_place_gradient_serves(p)) return 0;
    return uses >= LEAST_USES;
}

void ck_rows_run(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source, const float *w,
                 const float *bias, int rectified, void *workspace) {
    ck_conv_product product = ck_conv_plan(p, pass);
    ck_conv_plan_phases(&product, p, pass, workspace);
    rows_run run = {
        .kernels = ck_place_kernels(ck_isa_current()), .product = &product, .plan = make_plan(&product),
        .source = source, .weights = w, .bias = bias, .rectified = rectified, .result = result,
        .source_channels_last = pass == CK_CONV_INPUT_GRAD ? p->y_channels_last : p->x_channels_last,
        .result_channels_last = pass == CK_CONV_INPUT_GRAD ? p->x_channels_last : p->y_channels_last,
        .memory = (float *)((char *)workspace + ck_conv_phase_bytes(&product)),
    };
    run.pack_channels = MOST_TAPS / product.kernel_volume;
    find_source(&run);
    ck_parallel(run.turned + parts_of(run.plan.channels, run.pack_channels), prepare_block, &run);
    ck_parallel(product.phase_count[1] * run.plan.pixel_blocks * run.plan.panel_blocks, multiply_block, &run);
}

// The gradient of the weights: what the pixels see, turned, times the gradient of the results

/// How it is cut up: blocks of taps, of result channels, and of pixels, which have sums of their own.
typedef struct gradient_plan {
    int64_t sources, results;               // channels, padded
    int64_t taps_at_once, channels_at_once, tap_blocks, channel_blocks, block_results, result_blocks;
    int64_t pixels, part_pixels, parts, scratches;
    size_t gradient, sums, scratch, bytes;  // offsets in elements, and all in bytes
} gradient_plan;

static gradient_plan plan_gradient(const ck_conv_product *product) {
    gradient_plan plan = {.sources = round_up(product->source_channels, CHANNELS)};
    plan.results = round_up(product->result_channels, CHANNELS) + PAD;
    plan.channels_at_once = min(plan.sources, GRADIENT_DEPTH);
    plan.channel_blocks = parts_of(plan.sources, plan.channels_at_once);
    plan.taps_at_once = min(product->kernel_volume, GRADIENT_DEPTH / plan.channels_at_once);
    plan.tap_blocks = parts_of(product->kernel_volume, plan.taps_at_once);
    plan.block_results = min(product->result_channels, MOST_RESULTS);
    plan.result_blocks = parts_of(product->result_channels, plan.block_results);
    plan.pixels = product->batch * product->result_plane;
    const int64_t pieces = plan.channel_blocks * plan.tap_blocks * plan.result_blocks;
    const int64_t parts = max(1, min(parts_of(ENOUGH_BLOCKS, pieces), plan.pixels / GRADIENT_PIXELS));
    plan.part_pixels = parts_of(plan.pixels, parts);
    plan.parts = parts_of(plan.pixels, plan.part_pixels);
    plan.scratches = min(pieces * plan.parts, CK_MOST_SCRATCHES);
    plan.gradient = (size_t)(product->batch * product->source_plane * plan.sources);
    plan.sums = plan.gradient + (size_t)(plan.pixels * plan.results);
    plan.scratch = plan.sums + (size_t)(plan.parts * product->result_channels * plan.sources * product->kernel_volume);
    plan.bytes = (plan.scratch + (size_t)(plan.scratches * GRADIENT_ELEMENTS)) * sizeof(float);
    return plan;
}

size_t ck_rows_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    ck_conv_product product = ck_conv_plan(p, pass);
    const size_t bytes = pass == CK_CONV_WEIGHT_GRAD ? plan_gradient(&product).bytes : make_plan(&product).bytes;
    return ck_conv_phase_bytes(&product) + bytes;
}

typedef struct gradient_run {
    rows_run rows;  // how the source is read
    gradient_plan plan;
    const float *dy, *gradient;  // as it came, and with the channels of a pixel together
    int64_t gradient_row;        // from one pixel to the next
    float *result;
    _Atomic unsigned taken;
} gradient_run;

static void stand_block(void *context, int64_t block) {
    const gradient_run *run = context;
    const ck_conv_product *product = run->rows.product;
    if (block < run->rows.turned) {
        stand_image(&run->rows, block);
        return;
    }
    const int64_t image = block - run->rows.turned, width = run->plan.results, plane = product->result_plane;
    run->rows.kernels->stand(run->rows.memory + run->plan.gradient + image * plane * width,
                             run->dy + image * product->result_channels * plane, product->result_channels, plane, width,
                             plane);
}

static void gradient_block(void *context, int64_t block) {
    gradient_run *run = context;
    const ck_conv_product *product = run->rows.product;
    const gradient_plan *plan = &run->plan;
    const int64_t first_result = block % plan->result_blocks * plan->block_results;
    const int64_t results = min(plan->block_results, product->result_channels - first_result);
    block /= plan->result_blocks;
    const int64_t channel = block % plan->channel_blocks * plan->channels_at_once;
    const int64_t channels = min(plan->channels_at_once, plan->sources - channel);
    block /= plan->channel_blocks;
    const int64_t tap = block % plan->tap_blocks * plan->taps_at_once, part = block / plan->tap_blocks;
    const int64_t taps = min(plan->taps_at_once, product->kernel_volume - tap), row = taps * channels + PAD;
    const int64_t all = plan->sources * product->kernel_volume, end = min((part + 1) * plan->part_pixels, plan->pixels);
    float *sums = run->rows.memory + plan->sums + (part * product->result_channels + first_result) * all
        + tap * plan->sources + channel;
    const int64_t scratch = ck_take_scratch(&run->taken, plan->scratches);
    float *factor = run->rows.memory + plan->scratch + scratch * GRADIENT_ELEMENTS;
    const ck_conv_phase phase = ck_conv_phase_at(product, 0);
    for (int64_t pixel = part * plan->part_pixels; pixel < end; pixel += GRADIENT_PIXELS) {
        const rows_piece piece = {.first = pixel, .count = min(GRADIENT_PIXELS, end - pixel)};
        gather(&run->rows, &piece, &phase, tap, taps, channel, channels, factor, row);
        const float *a = run->gradient + pixel * run->gradient_row + first_result;
        run->rows.kernels->multiply(results, taps * channels, piece.count, a, run->gradient_row, 1, factor, row, sums, all,
                                    pixel > part * plan->part_pixels);
    }
    ck_leave_scratch(&run->taken, scratch);
}

/// Adds up the parts, in order, of one result channel: dw has the taps of a channel together, the sums the channels of a tap.
static void add_block(void *context, int64_t result) {
    const gradient_run *run = context;
    const ck_conv_product *product = run->rows.product;
    const int64_t volume = product->kernel_volume, all = run->plan.sources * volume, channels = product->source_channels;
    float *sums = run->rows.memory + run->plan.sums + result * all;
    for (int64_t part = 1; part < run->plan.parts; part++) {
        const float *more = sums + part * product->result_channels * all;
        for (int64_t i = 0; i < all; i++) sums[i] += more[i];
    }
    run->rows.kernels->lie(run->result + result * channels * volume, sums, channels, volume, run->plan.sources, volume, 0,
                           0);
}

void ck_rows_gradient(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace) {
    ck_conv_product product = ck_conv_plan(p, CK_CONV_FORWARD);
    ck_conv_plan_phases(&product, p, CK_CONV_FORWARD, workspace);
    gradient_run run = {.plan = plan_gradient(&product), .dy = dy, .result = dw};
    run.rows = (rows_run){
        .kernels = ck_place_kernels(ck_isa_current()), .product = &product, .source = x,
        .source_channels_last = p->x_channels_last,
        .memory = (float *)((char *)workspace + ck_conv_phase_bytes(&product)),
    };
    run.rows.plan.channels = run.plan.sources;
    run.rows.plan.pixels = product.result_size[2];
    const gradient_plan *plan = &run.plan;
    find_source(&run.rows);
    run.gradient = p->y_channels_last ? dy : run.rows.memory + plan->gradient;
    run.gradient_row = p->y_channels_last ? product.result_channels : plan->results;
    ck_parallel(run.rows.turned + (p->y_channels_last ? 0 : product.batch), stand_block, &run);
    ck_parallel(plan->parts * plan->tap_blocks * plan->channel_blocks * plan->result_blocks, gradient_block, &run);
    ck_parallel(product.result_channels, add_block, &run);
}
