#include "convolution_place.h"

#define COPY_GRAIN (1 << 15)  // elements of a block

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }

static int64_t padded_height(const place_padding *p) { return p->height + 2 * p->rows; }
static int64_t padded_width(const place_padding *p) { return p->width + 2 * p->columns; }

int64_t ck_place_padded_elements(const place_padding *p) {
    return p->images * p->channels * padded_height(p) * padded_width(p);
}

/// What is copied at a time: a plane, or with channels last a row of all of them.
static int64_t pieces(const place_padding *p) { return p->images * (p->channels_last ? padded_height(p) : p->channels); }
static int64_t pieces_per_block(const place_padding *p) {
    return max(1, COPY_GRAIN * pieces(p) / max(1, ck_place_padded_elements(p)));
}

int64_t ck_place_padding_blocks(const place_padding *p) {
    const int64_t per_block = pieces_per_block(p);
    return (pieces(p) + per_block - 1) / per_block;
}

static void clear(float *to, int64_t count) {
    for (int64_t i = 0; i < count; i++) to[i] = 0;
}

static void pad_plane(const place_padding *p, int64_t plane) {
    const int64_t width = padded_width(p);
    const float *from = p->from + plane * p->height * p->width;
    float *to = p->to + plane * padded_height(p) * width;
    clear(to, p->rows * width);
    to += p->rows * width;
    for (int64_t y = 0; y < p->height; y++, from += p->width, to += width) {
        for (int64_t x = 0; x < p->columns; x++) to[x] = to[p->columns + p->width + x] = 0;
        for (int64_t x = 0; x < p->width; x++) to[p->columns + x] = from[x];
    }
    clear(to, p->rows * width);
}

/// A row of all channels into their planes.
static void lie_row(const place_padding *p, int64_t row) {
    const int64_t height = padded_height(p), width = padded_width(p), plane = height * width, channels = p->channels;
    const int64_t image = row / height, y = row % height - p->rows;
    float *to = p->to + image * channels * plane + row % height * width;
    const int inside = y >= 0 && y < p->height;
    for (int64_t c = 0; c < channels; c++) {
        float *line = to + c * plane;
        clear(line, inside ? p->columns : width);
        clear(line + width - p->columns, p->columns);
    }
    if (!inside) return;
    to += p->columns;
    const float *from = p->from + (image * p->height + y) * p->width * channels;
    const int64_t whole = channels / p->kernels->lanes * p->kernels->lanes;  // of other channels `lie` would read too much
    p->kernels->lie(to, from, whole, plane, channels, p->width, 0, 0);
    for (int64_t c = whole; c < channels; c++) {
        for (int64_t x = 0; x < p->width; x++) to[c * plane + x] = from[x * channels + c];
    }
}

void ck_place_pad_block(const place_padding *p, int64_t block) {
    const int64_t first = block * pieces_per_block(p), end = min(first + pieces_per_block(p), pieces(p));
    for (int64_t piece = first; piece < end; piece++) (p->channels_last ? lie_row : pad_plane)(p, piece);
}
