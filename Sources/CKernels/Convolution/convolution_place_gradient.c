#include "convolution_place.h"

#include "ck_pool.h"

#define MOST_PARTS 16          // of the images, each with sums of its own
#define LEAST_PIXELS 512       // of a part
#define SUMMED_PIXELS 128      // at a time
#define ADDED_TAPS 64          // taps of a block that adds up parts

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

typedef struct place_gradient {
    const ck_convolution *p;
    const place_kernels *kernels;
    int64_t row, plane, image;       // of the padded source
    int64_t pixels;                  // of a result plane
    int64_t kernel_rows, rows_at_once, tiles;  // of all channels
    int64_t panel, panels;           // result channels
    int64_t images_per_part, parts;
    int64_t stood;                   // images whose gradient is brought into panels: all or none
    place_padding padding;           // of no images where x is read as it is
    const float *dy, *source;
    float *dw, *standing, *sums;
    int64_t *offsets;
} place_gradient;

static place_gradient make_gradient(const ck_convolution *p, ck_isa isa) {
    place_gradient g = {.p = p, .kernels = ck_place_kernels(isa), .pixels = p->output[1] * p->output[2]};
    g.padding = (place_padding){
        .kernels = g.kernels, .images = p->padding[1] > 0 || p->padding[2] > 0 || p->x_channels_last ? p->batch : 0,
        .channels = p->in_channels, .height = p->input[1], .width = p->input[2], .rows = p->padding[1],
        .columns = p->padding[2], .channels_last = p->x_channels_last,
    };
    g.row = p->input[2] + 2 * p->padding[2];
    g.plane = (p->input[1] + 2 * p->padding[1]) * g.row;
    g.image = p->in_channels * g.plane;
    g.kernel_rows = p->in_channels * p->kernel[1];
    g.rows_at_once = g.kernels->kernel_rows[p->kernel[2] == 5];
    g.tiles = parts_of(g.kernel_rows, g.rows_at_once);
    g.panel = p->out_channels <= g.kernels->lanes ? g.kernels->lanes : 2 * g.kernels->lanes;
    g.panels = parts_of(p->out_channels, g.panel);
    g.stood = p->y_channels_last && p->out_channels % g.panel == 0 ? 0 : p->batch;
    const int64_t parts = max(1, min(min(MOST_PARTS, p->batch), p->batch * g.pixels / LEAST_PIXELS));
    g.images_per_part = parts_of(p->batch, parts);
    g.parts = parts_of(p->batch, g.images_per_part);
    return g;
}

int ck_place_gradient_serves(const ck_convolution *p) {
    if (p->groups != 1 || p->kernel[0] != 1 || p->padding[0] != 0 || p->stride[0] != 1 || p->input[0] != 1) return 0;
    if (p->kernel[2] != 3 && p->kernel[2] != 5) return 0;
    if (p->dilation[2] != 1 || p->batch < 1 || p->in_channels < 1) return 0;
    return p->output[1] >= 1 && p->output[2] >= 1 && p->input[1] >= 1 && p->input[2] >= 1 && p->out_channels >= 8;
}

// Memory: the offsets of pixels, the gradient channel by channel, the sums of each part, the padded source.

static size_t offset_bytes(const place_gradient *g) { return (size_t)parts_of(g->pixels, 8) * 64; }
static int64_t standing_elements(const place_gradient *g) { return g->stood * g->panels * g->panel * g->pixels; }
static int64_t part_elements(const place_gradient *g) {
    return g->panels * g->tiles * g->rows_at_once * g->p->kernel[2] * g->panel;
}

size_t ck_place_gradient_workspace(const ck_convolution *p) {
    size_t most = 0;
    for (int isa = (int)CK_ISA_BASELINE; isa <= (int)ck_isa_detected(); isa++) {
        const place_gradient g = make_gradient(p, (ck_isa)isa);
        const int64_t elements =
            standing_elements(&g) + g.parts * part_elements(&g) + ck_place_padded_elements(&g.padding);
        const size_t bytes = offset_bytes(&g) + (size_t)elements * sizeof(float);
        if (bytes > most) most = bytes;
    }
    return most;
}

// Packing

static void stand_gradient(const place_gradient *g, int64_t panel, int64_t image) {
    const ck_convolution *p = g->p;
    const int64_t channel = panel * g->panel, channels = min(g->panel, p->out_channels - channel);
    const float *from = g->dy + image * p->out_channels * g->pixels;
    float *to = g->standing + (panel * p->batch + image) * g->pixels * g->panel;
    if (p->y_channels_last) {
        ck_place_widen(to, from + channel, channels, p->out_channels, g->panel, g->pixels);
    } else {
        g->kernels->stand(to, from + channel * g->pixels, channels, g->pixels, g->panel, g->pixels);
    }
}

/// One image's gradient for one panel of channels, or some of the source.
static void prepare_block(void *context, int64_t block) {
    const place_gradient *g = context;
    if (block < g->stood * g->panels) {
        stand_gradient(g, block / g->stood, block % g->stood);
    } else {
        ck_place_pad_block(&g->padding, block - g->stood * g->panels);
    }
}

// Multiplying

static void multiply_block(void *context, int64_t block) {
    const place_gradient *g = context;
    const ck_convolution *p = g->p;
    const int64_t panel = block % g->panels, part = block / g->panels;
    const int64_t first = part * g->images_per_part, end = min(first + g->images_per_part, p->batch);
    // A sum of sums of some pixels each keeps more digits than one long sum.
    const int64_t step = max(1, SUMMED_PIXELS / g->pixels);
    place_taps taps = {
        .pixels = g->offsets, .pixel_count = g->pixels, .image = g->image, .kernel_x = p->kernel[2],
        .vectors = g->panel / g->kernels->lanes, .gradient_step = g->stood > 0 ? g->panel : p->out_channels,
    };
    const int64_t tile = g->rows_at_once * p->kernel[2] * g->panel;
    for (int64_t t = 0; t < g->tiles; t++) {
        for (int64_t r = 0; r < g->rows_at_once; r++) {
            const int64_t row = min(t * g->rows_at_once + r, g->kernel_rows - 1);  // the last ones may come twice
            taps.kernel_rows[r] = row / p->kernel[1] * g->plane + row % p->kernel[1] * p->dilation[1] * g->row;
        }
        taps.sums = g->sums + part * part_elements(g) + (panel * g->tiles + t) * tile;
        for (int64_t image = first; image < end; image += step) {
            taps.source = g->source + image * g->image;
            taps.gradient = g->dy + image * g->pixels * p->out_channels + panel * g->panel;
            if (g->stood > 0) taps.gradient = g->standing + (panel * p->batch + image) * g->pixels * g->panel;
            taps.images = min(step, end - image);
            taps.add = image > first;
            g->kernels->taps(&taps);
        }
    }
}

static int64_t all_taps(const place_gradient *g) { return g->kernel_rows * g->p->kernel[2]; }

/// Adds up the parts, in order, of some taps of one panel: dw has the taps of a channel together, the sums the channels of a tap.
static void finish_block(void *context, int64_t block) {
    const place_gradient *g = context;
    const int64_t taps = all_taps(g), step = part_elements(g), panel = block % g->panels;
    const int64_t start = block / g->panels * ADDED_TAPS, end = min(start + ADDED_TAPS, taps);
    const int64_t first = panel * g->panel, channels = min(g->panel, g->p->out_channels - first);
    const float *sums = g->sums + panel * g->tiles * g->rows_at_once * g->p->kernel[2] * g->panel;
    for (int64_t tap = start; tap < end; tap++) {
        for (int64_t c = 0; c < channels; c++) {
            float sum = sums[tap * g->panel + c];
            for (int64_t part = 1; part < g->parts; part++) sum += sums[part * step + tap * g->panel + c];
            g->dw[(first + c) * taps + tap] = sum;
        }
    }
}

void ck_place_gradient(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace) {
    place_gradient g = make_gradient(p, ck_isa_current());
    g.dy = dy;
    g.dw = dw;
    g.offsets = workspace;
    g.standing = (float *)((char *)workspace + offset_bytes(&g));
    g.sums = g.standing + standing_elements(&g);
    g.padding.from = x;
    g.padding.to = g.sums + g.parts * part_elements(&g);
    g.source = g.padding.images > 0 ? g.padding.to : x;
    int64_t *to = g.offsets;
    for (int64_t y = 0; y < p->output[1]; y++) {
        for (int64_t i = 0; i < p->output[2]; i++) *to++ = y * p->stride[1] * g.row + i * p->stride[2];
    }
    ck_parallel(g.stood * g.panels + ck_place_padding_blocks(&g.padding), prepare_block, &g);
    ck_parallel(g.parts * g.panels, multiply_block, &g);
    ck_parallel(g.panels * parts_of(all_taps(&g), ADDED_TAPS), finish_block, &g);
}
