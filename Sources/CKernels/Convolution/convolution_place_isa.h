// The rows of convolution_place.h for one instruction set. Included with KERNELS (the table's name), VECTOR_BYTES and
// MAX_ROWS defined.

#include <stdint.h>

#include "convolution_place.h"

#pragma STDC FP_CONTRACT ON

#define T float
#define NAME(x) x##_place
#include "matmul_tile.h"
#include "matmul_plane.h"
#include "transpose_vectors.h"
#include "convolution_rectify.h"

// Turning channels and pixels

static void place_stand(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count) {
    for (int64_t c = 0; c < width; c += LANES) {
        for (int64_t p = 0; p < count; p += LANES) {
            const int64_t here = count - p < LANES ? count - p : LANES;
            vector square[LANES];
            UNROLL for (int r = 0; r < LANES; r++) {
                square[r] = (vector){0};
                if (c + r >= channels) continue;
                const float *at = from + (c + r) * stride + p;
                square[r] = here == LANES ? load_place(at) : load_some_place(at, here);
            }
            transpose_vectors_place(square);
            UNROLL for (int q = 0; q < LANES; q++) {
                if (q < here) store_place(to + (p + q) * width + c, square[q]);
            }
        }
    }
}

static void place_lie(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count,
                      const float *bias, int rectified) {
    for (int64_t c = 0; c < channels; c += LANES) {
        const int64_t there = channels - c < LANES ? channels - c : LANES;
        vector added = {0};
        if (bias) added = there == LANES ? load_place(bias + c) : load_some_place(bias + c, there);
        for (int64_t p = 0; p < count; p += LANES) {
            const int64_t here = count - p < LANES ? count - p : LANES;
            vector square[LANES];
            UNROLL for (int r = 0; r < LANES; r++) {
                square[r] = (vector){0};
                if (r < here) square[r] = rectify_place(load_place(from + (p + r) * width + c) + added, rectified);
            }
            transpose_vectors_place(square);
            UNROLL for (int q = 0; q < LANES; q++) {
                float *at = to + (c + q) * stride + p;
                if (q >= there) continue;
                if (here == LANES) {
                    store_place(at, square[q]);
                } else {
                    store_some_place(at, square[q], here);
                }
            }
        }
    }
}

static void place_put(float *to, const float *from, int64_t channels, int64_t stride, int64_t width, int64_t count,
                      const float *bias, int rectified) {
    for (int64_t c = 0; c < channels; c += LANES) {
        const int64_t there = channels - c < LANES ? channels - c : LANES;
        vector added = {0};
        if (bias) added = there == LANES ? load_place(bias + c) : load_some_place(bias + c, there);
        for (int64_t p = 0; p < count; p++) {
            const vector x = rectify_place(load_place(from + p * width + c) + added, rectified);
            if (there == LANES) {
                store_place(to + p * stride + c, x);
            } else {
                store_some_place(to + p * stride + c, x, there);
            }
        }
    }
}

// A row of results

/// product (rows by vectors) = the sum over taps of the source's numbers times the weights. All the sizes but the number of
/// taps are constants at each place of use.
INLINE void place_tile_body(const int rows, const int vectors, const place_row *row, int64_t x, float *product) {
    vector sum[MAX_ROWS][VECTORS];
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    }
    const int64_t origin = row->origin + x, end = row->end;
    const int64_t *offsets = row->offsets;
    const float *source = row->source, *weights = row->weights + row->first * vectors * LANES;
    for (int64_t tap = row->first; tap < end; tap++, weights += vectors * LANES) {
        const float *from = source + (origin + offsets[tap]);
        vector weight[VECTORS];
        UNROLL for (int v = 0; v < vectors; v++) weight[v] = load_place(weights + v * LANES);
        UNROLL for (int i = 0; i < rows; i++) {
            const float number = from[i];
            UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += number * weight[v];
            if (rows * vectors >= 12) UNROLL for (int v = 0; v < vectors; v++) KEEP_ORDER(sum[i][v]);
        }
    }
    UNROLL for (int i = 0; i < rows; i++) {
        UNROLL for (int v = 0; v < vectors; v++) store_place(product + (i * VECTORS + v) * LANES, sum[i][v]);
    }
}

typedef void place_tile(const place_row *row, int64_t x, float *product);

#define PLACE_TILE(rows, vectors)                                                                                    \
    static void place_tile_##rows##_##vectors(const place_row *row, int64_t x, float *product) {                     \
        place_tile_body(rows, vectors, row, x, product);                                                             \
    }
#define PLACE_TILES(rows) PLACE_TILE(rows, 1) PLACE_TILE(rows, 2)
#define PLACE_ENTRY(rows) {rows, {place_tile_##rows##_1, place_tile_##rows##_2}}

PLACE_TILES(4)
#if MAX_ROWS >= 6
PLACE_TILES(6)
#endif
#if MAX_ROWS >= 8
PLACE_TILES(8)
#endif
#if MAX_ROWS >= 14
PLACE_TILES(7) PLACE_TILES(11) PLACE_TILES(12) PLACE_TILES(14)
#endif

/// The widths of tiles, and the tiles by vectors - 1.
static const struct {
    int64_t width;
    place_tile *tiles[VECTORS];
} place_widths[] = {
    PLACE_ENTRY(4),
#if MAX_ROWS >= 6
    PLACE_ENTRY(6),
#endif
#if MAX_ROWS >= 14
    PLACE_ENTRY(7),
#endif
#if MAX_ROWS >= 8
    PLACE_ENTRY(8),
#endif
#if MAX_ROWS >= 14
    PLACE_ENTRY(11), PLACE_ENTRY(12), PLACE_ENTRY(14),
#endif
};

#if MAX_ROWS >= 14
/// A whole row of results from one of `source` numbers, each of which meets `taps` taps: what stands beside the source is not
/// multiplied.
INLINE void place_full_body(const int source, const int taps, const int vectors, const place_row *row, float *product) {
    vector sum[MAX_ROWS][VECTORS];
    UNROLL for (int i = 0; i < source + taps - 1; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    }
    const float *weights = row->weights + row->first * vectors * LANES;
    for (int64_t tap = row->first; tap < row->end; tap += taps, weights += taps * vectors * LANES) {
        const float *from = row->source + (row->origin + row->offsets[tap]) + taps - 1;
        UNROLL for (int i = 0; i < source; i++) {
            const float number = from[i];
            UNROLL for (int t = 0; t < taps; t++) {
                UNROLL for (int v = 0; v < vectors; v++) {
                    sum[i + taps - 1 - t][v] += number * load_place(weights + (t * vectors + v) * LANES);
                }
            }
        }
    }
    UNROLL for (int i = 0; i < source + taps - 1; i++) {
        UNROLL for (int v = 0; v < vectors; v++) store_place(product + (i * VECTORS + v) * LANES, sum[i][v]);
    }
}

static void place_full_8_1(const place_row *row, float *product) { place_full_body(8, 5, 1, row, product); }
static void place_full_8_2(const place_row *row, float *product) { place_full_body(8, 5, 2, row, product); }
static void place_full_10_1(const place_row *row, float *product) { place_full_body(10, 5, 1, row, product); }
static void place_full_10_2(const place_row *row, float *product) { place_full_body(10, 5, 2, row, product); }

/// For the second layer of a LeNet, whose gradient has rows of 12 or 14. Answers whether it is done.
static int place_full(const place_row *row, float *product) {
    if (!row->is_full || row->kernel_x != 5) return 0;
    if (row->width == 12) (row->vectors == 1 ? place_full_8_1 : place_full_8_2)(row, product);
    else if (row->width == 14) (row->vectors == 1 ? place_full_10_1 : place_full_10_2)(row, product);
    else return 0;
    return 1;
}
#else
static int place_full(const place_row *row, float *product) {
    (void)row, (void)product;
    return 0;
}
#endif

/// Brings a tile into the result, from its pixel `x` on.
INLINE void place_finish(const place_row *row, int64_t x, int64_t width, const float *product) {
    float *to = row->result + x * row->pixel;
    if (row->channel == 1) {
        place_put(to, product, row->channels, row->pixel, PANEL, width, row->bias, row->rectified);
    } else {
        place_lie(to, product, row->channels, row->channel, PANEL, width, row->bias, row->rectified);
    }
}

static void place_row_run(const place_row *row) {
    _Alignas(VECTOR_BYTES) float product[MAX_ROWS * PANEL];
    if (place_full(row, product)) {
        place_finish(row, 0, row->width, product);
        return;
    }
    // The widest of the tiles that cover the row with the fewest results too many; the last may overlap the one before.
    int best = 0;
    int64_t least = INT64_MAX;
    for (int i = 0; i < (int)(sizeof(place_widths) / sizeof(*place_widths)); i++) {
        const int64_t width = place_widths[i].width, covered = (row->width + width - 1) / width * width;
        if (width > row->width || covered > least) continue;
        best = i;
        least = covered;
    }
    const int64_t width = place_widths[best].width;
    place_tile *const tile = place_widths[best].tiles[row->vectors - 1];
    for (int64_t start = 0; start < row->width; start += width) {
        const int64_t x = start + width <= row->width ? start : row->width - width;
        tile(row, x, product);
        place_finish(row, x, width, product);
    }
}

// The weight gradient

INLINE void place_taps_body(const int columns, const int rows, const int vectors, const place_taps *t) {
    vector sum[MAX_ROWS][VECTORS];
    UNROLL for (int i = 0; i < rows * columns; i++) {
        UNROLL for (int v = 0; v < vectors; v++) sum[i][v] = (vector){0};
    }
    const float *image = t->source, *gradient = t->gradient;
    for (int64_t n = 0; n < t->images; n++, image += t->image) {
        for (int64_t p = 0; p < t->pixel_count; p++, gradient += t->gradient_step) {
            const float *from = image + t->pixels[p];
            vector here[VECTORS];
            UNROLL for (int v = 0; v < vectors; v++) here[v] = load_place(gradient + v * LANES);
            UNROLL for (int i = 0; i < rows * columns; i++) {
                const float number = from[t->kernel_rows[i / columns] + i % columns];
                UNROLL for (int v = 0; v < vectors; v++) sum[i][v] += number * here[v];
                if (rows * columns * vectors >= 12) UNROLL for (int v = 0; v < vectors; v++) KEEP_ORDER(sum[i][v]);
            }
        }
    }
    UNROLL for (int i = 0; i < rows * columns; i++) {
        UNROLL for (int v = 0; v < vectors; v++) {
            float *to = t->sums + (i * vectors + v) * LANES;
            store_place(to, t->add ? load_place(to) + sum[i][v] : sum[i][v]);
        }
    }
}

#if MAX_ROWS >= 14
#define ROWS_OF_3 4
#define ROWS_OF_5 2
#elif MAX_ROWS >= 6
#define ROWS_OF_3 2
#define ROWS_OF_5 1
#else
#define ROWS_OF_3 1
#define ROWS_OF_5 1
#endif

static void place_taps_3_1(const place_taps *t) { place_taps_body(3, ROWS_OF_3, 1, t); }
static void place_taps_3_2(const place_taps *t) { place_taps_body(3, ROWS_OF_3, 2, t); }
static void place_taps_5_1(const place_taps *t) { place_taps_body(5, ROWS_OF_5, 1, t); }
static void place_taps_5_2(const place_taps *t) { place_taps_body(5, ROWS_OF_5, 2, t); }

static void place_taps_run(const place_taps *t) {
    if (t->kernel_x == 3) {
        (t->vectors == 1 ? place_taps_3_1 : place_taps_3_2)(t);
    } else {
        (t->vectors == 1 ? place_taps_5_1 : place_taps_5_2)(t);
    }
}

const place_kernels KERNELS = {
    .lanes = LANES, .row = place_row_run, .kernel_rows = {ROWS_OF_3, ROWS_OF_5}, .taps = place_taps_run,
    .stand = place_stand, .lie = place_lie, .put = place_put, .multiply = multiply_plane_place,
};
