// Into the planes of transformed tiles and back, for one instruction set. A vector holds as many channels of one element:
// the arithmetic needs no shuffles then, and tiles at an edge none of their own.

// The points ±a and ±b, all of whose products are exact.
#define A1 0.625f
#define A2 (A1 * A1)
#define B1 1.5f
#define B2 (B1 * B1)
// A point's distances to the others, multiplied.
#define FROM_0 ((double)A2 * B2)
#define FROM_A (2.0 * A2 * (A2 - B2))
#define FROM_B (2.0 * B2 * (B2 - A2))

#define STRIP 8                            // tiles of a row at a time

typedef vector_winograd lanes;
typedef double wide __attribute__((vector_size(2 * VECTOR_BYTES)));

static inline int64_t smaller(int64_t x, int64_t y) { return x < y ? x : y; }
static inline int64_t larger(int64_t x, int64_t y) { return x > y ? x : y; }

// One axis

/// B' d: row p is the product of all x - q for the points q other than p.
INLINE void source_axis(const lanes d[6], lanes to[6]) {
    const lanes even_a = d[4] - B2 * d[2], odd_a = A1 * (d[3] - B2 * d[1]);
    const lanes even_b = d[4] - A2 * d[2], odd_b = B1 * (d[3] - A2 * d[1]);
    to[0] = A2 * B2 * d[0] - (A2 + B2) * d[2] + d[4];
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = A2 * B2 * d[1] - (A2 + B2) * d[3] + d[5];
}

/// G w: the polynomial w at each point, over the product of its distances to the others. In double, to be rounded once: an error
/// of the weights is the same wherever they pass, and training magnifies it.
INLINE void weights_axis(const wide w[3], wide to[6]) {
    const wide even_a = (w[0] + A2 * w[2]) * (1 / FROM_A), odd_a = w[1] * (A1 / FROM_A);
    const wide even_b = (w[0] + B2 * w[2]) * (1 / FROM_B), odd_b = w[1] * (B1 / FROM_B);
    to[0] = w[0] * (1 / FROM_0);
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = w[2];
}

/// G' m.
INLINE void weights_back_axis(const lanes m[6], lanes to[3]) {
    const lanes even_a = (m[1] + m[2]) * (float)(1 / FROM_A), odd_a = (m[1] - m[2]) * (float)(A1 / FROM_A);
    const lanes even_b = (m[3] + m[4]) * (float)(1 / FROM_B), odd_b = (m[3] - m[4]) * (float)(B1 / FROM_B);
    to[0] = m[0] * (float)(1 / FROM_0) + even_a + even_b;
    to[1] = odd_a + odd_b;
    to[2] = A2 * even_a + B2 * even_b + m[5];
}

/// A' m: element i sums the i-th powers of the points.
INLINE void result_axis(const lanes m[6], lanes to[4]) {
    const lanes even_a = m[1] + m[2], odd_a = A1 * (m[1] - m[2]);
    const lanes even_b = m[3] + m[4], odd_b = B1 * (m[3] - m[4]);
    to[0] = m[0] + even_a + even_b;
    to[1] = odd_a + odd_b;
    to[2] = A2 * even_a + B2 * even_b;
    to[3] = A2 * odd_a + B2 * odd_b + m[5];
}

/// A g.
INLINE void result_back_axis(const lanes g[4], lanes to[6]) {
    const lanes even_a = g[0] + A2 * g[2], odd_a = A1 * (g[1] + A2 * g[3]);
    const lanes even_b = g[0] + B2 * g[2], odd_b = B1 * (g[1] + B2 * g[3]);
    to[0] = g[0];
    to[1] = even_a + odd_a;
    to[2] = even_a - odd_a;
    to[3] = even_b + odd_b;
    to[4] = even_b - odd_b;
    to[5] = g[3];
}

// Images

/// Columns first..<first + count of an image row of some channels (LANES at most), channel by channel in each; zeros beside
/// the image and for channels that are missing.
static void fill_line(const winograd_side *side, const float *row, int64_t channels, int64_t first, int64_t count,
                      float *line) {
    const int64_t start = smaller(larger(0, -first), count), end = larger(start, smaller(count, side->width - first));
    const int64_t pixel = side->pixel, plane = side->channel;
    if (start > 0 || end < count || channels < LANES) {
        for (int64_t i = 0; i < count * LANES; i += LANES) store_winograd(line + i, (lanes){0});
    }
    const float *from = row + first * pixel;
    int64_t c = 0;
    if (pixel == 1 && channels == LANES && end - start >= LANES) {
        for (int64_t i = start; i < end; i += LANES) {
            const int64_t at = smaller(i, end - LANES);  // the last square may overlap the one before
            lanes square[LANES];
            UNROLL for (int p = 0; p < LANES; p++) square[p] = load_winograd(from + p * plane + at);
            transpose_vectors_winograd(square);
            UNROLL for (int p = 0; p < LANES; p++) store_winograd(line + (at + p) * LANES, square[p]);
        }
        return;
    }
    for (; pixel == 1 && c + 4 <= channels && end - start >= 4; c += 4) {
        for (int64_t i = start; i < end; i += 4) {
            const int64_t at = smaller(i, end - 4);
            transpose_square_f32(line + at * LANES + c, LANES, from + c * plane + at, plane);
        }
    }
    for (; c < channels; c++) {
        for (int64_t i = start; i < end; i++) line[i * LANES + c] = from[c * plane + i * pixel];
    }
}

/// Some tiles of a row for some channels: `size` by `size` elements of the image each, and from one tile to the next 4. `in_place`
/// when there are LANES channels side by side, which need no turning.
INLINE void transform_strip(const winograd_side *side, int64_t size, int in_place, const float *image, int64_t y, int64_t x,
                            int64_t channels, int64_t tiles, float *to) {
    const int64_t columns = (tiles - 1) * 4 + size;
    static const float zeros[LANES];
    float lines[6][(STRIP * 4 + 2) * LANES] __attribute__((aligned(64)));
    const float *rows[6];
    int64_t steps[6];
    for (int64_t r = 0; r < size; r++) {
        const int64_t inside = y + r >= 0 && y + r < side->height;
        const float *row = image + (inside ? y + r : 0) * side->width * side->pixel;
        rows[r] = inside ? row + x * side->pixel : zeros;
        steps[r] = inside ? side->pixel : 0;
        if (!in_place) fill_line(side, row, inside ? channels : 0, x, columns, lines[r]);
    }
    for (int64_t i = 0; i < columns; i++) {
        lanes from[6], done[6];
        const int beside = x + i < 0 || x + i >= side->width;
        UNROLL for (int r = 0; r < size; r++) {
            const float *pixel = beside ? zeros : rows[r] + i * steps[r];
            if (in_place && r >= size - 4) __builtin_prefetch(pixel + 4 * side->width * side->pixel);  // of the next row of tiles
            from[r] = load_winograd(in_place ? pixel : lines[r] + i * LANES);
        }
        if (size == 6) source_axis(from, done);
        if (size == 4) result_back_axis(from, done);
        UNROLL for (int r = 0; r < 6; r++) store_winograd(lines[r] + i * LANES, done[r]);
    }
    for (int64_t tile = 0; tile < tiles; tile++, to += side->padded_channels) {
        UNROLL for (int r = 0; r < 6; r++) {
            lanes from[6], done[6];
            UNROLL for (int j = 0; j < size; j++) from[j] = load_winograd(lines[r] + (tile * 4 + j) * LANES);
            if (size == 6) source_axis(from, done);
            if (size == 4) result_back_axis(from, done);
            UNROLL for (int j = 0; j < 6; j++) store_winograd(to + (r * 6 + j) * side->plane, done[j]);
        }
    }
}

INLINE void transform_row(const winograd_problem *problem, const winograd_side *side, int64_t size, int64_t row,
                          int64_t pad_y, int64_t pad_x, const float *images, float *transformed) {
    const int64_t image = row / problem->tile_rows, y = row % problem->tile_rows * 4 - pad_y;
    const float *first = images + image * side->channels * side->height * side->width;
    for (int64_t c = 0; c < side->padded_channels; c += LANES) {
        const int64_t channels = larger(0, smaller(LANES, side->channels - c));
        const float *from = first + smaller(c, side->channels) * side->channel;
        for (int64_t tile = 0; tile < problem->tile_columns; tile += STRIP) {
            const int64_t tiles = smaller(STRIP, problem->tile_columns - tile);
            float *to = transformed + tile * side->padded_channels + c;
            if (side->channel == 1 && channels == LANES) {
                transform_strip(side, size, 1, from, y, tile * 4 - pad_x, channels, tiles, to);
            } else {
                transform_strip(side, size, 0, from, y, tile * 4 - pad_x, channels, tiles, to);
            }
        }
    }
}

static void transform_source(const winograd_problem *problem, int64_t row, const float *source, float *transformed) {
    transform_row(problem, &problem->source, 6, row, problem->pad_y, problem->pad_x, source, transformed);
}

static void transform_gradient(const winograd_problem *problem, int64_t row, const float *gradient,
                               float *transformed) {
    transform_row(problem, &problem->result, 4, row, 0, 0, gradient, transformed);
}

/// The part of a tile that lies in the image, from rows of 4 elements of LANES channels.
static void store_tile(const winograd_side *side, const float *tile, int64_t channels, int64_t rows, int64_t columns,
                       float *to) {
    const int64_t pixel = side->pixel, plane = side->channel;
    for (int64_t r = 0; r < rows; r++, tile += 4 * LANES, to += side->width * pixel) {
        int64_t c = 0;
        for (; pixel == 1 && c + 4 <= channels && columns == 4; c += 4) {
            transpose_square_f32(to + c * plane, plane, tile + c, LANES);
        }
        for (; c < channels; c++) {
            for (int64_t i = 0; i < columns; i++) to[c * plane + i * pixel] = tile[i * LANES + c];
        }
    }
}

/// A' product A + added of one tile for LANES channels, its ReLU when `rectified`: `height` by `width` pixels, `row` elements from one
/// of its rows to the next and `pixel` from one pixel. `nothing` stays 0 as long as all is finite.
INLINE void result_tile(const float *product, lanes added, int rectified, float *tile, int64_t row, int64_t pixel,
                        int64_t height, int64_t width, lanes *nothing) {
    lanes rows[4][6];
    UNROLL for (int j = 0; j < 6; j++) {
        lanes column[6], done[4];
        UNROLL for (int r = 0; r < 6; r++) column[r] = load_winograd(product + (r * 6 + j) * WINOGRAD_PRODUCT_PLANE);
        result_axis(column, done);
        UNROLL for (int r = 0; r < 4; r++) rows[r][j] = done[r];
    }
    UNROLL for (int r = 0; r < 4; r++) {
        lanes done[4];
        result_axis(rows[r], done);
        UNROLL for (int j = 0; j < 4; j++) {
            const lanes sum = done[j] + added;
            *nothing += 0 * sum;
            if (r < height && j < width) store_winograd(tile + r * row + j * pixel, rectify_winograd(sum, rectified));
        }
    }
}

#define GROUP (LANES / 4)  // tiles side by side that fill a vector

static int transform_result(const winograd_problem *problem, const winograd_piece *piece, const float *product,
                            const float *bias, float *result) {
    const winograd_side *side = &problem->result;
    const int64_t plane = side->channel, line = side->width * side->pixel;
    lanes nothing = {0};
    for (int64_t c = 0; c < piece->results; c += LANES) {
        const int64_t channel = piece->result + c, channels = smaller(LANES, piece->results - c);
        float biases[LANES] __attribute__((aligned(64))) = {0};
        for (int64_t i = 0; i < channels && bias; i++) biases[i] = bias[channel + i];
        const lanes added = load_winograd(biases);
        for (int64_t t = 0; t < piece->tiles;) {
            const float *from = product + t * WINOGRAD_RESULTS + c;
            const int64_t row = (piece->tile + t) / problem->tile_columns;
            const int64_t x = (piece->tile + t) % problem->tile_columns * 4;
            const int64_t image = row / problem->tile_rows, y = row % problem->tile_rows * 4;
            const int64_t height = smaller(4, side->height - y), width = smaller(4, side->width - x);
            float *to = result + image * side->channels * side->height * side->width + channel * plane
                + y * line + x * side->pixel;
            if (plane == 1 && channels == LANES) {
                // The lines of the next channels: storing would wait for them.
                UNROLL for (int i = 0; i < 16; i++) {
                    __builtin_prefetch(to + i / 4 * line + i % 4 * side->pixel + LANES, 1);
                }
                result_tile(from, added, problem->rectified, to, line, side->pixel, height, width, &nothing);
                t++;
                continue;
            }
            float strip[4 * LANES * LANES] __attribute__((aligned(64)));
            const int whole = side->pixel == 1 && channels == LANES && height == 4 && x + 4 * GROUP <= side->width;
            if (!whole || t + GROUP > piece->tiles) {
                result_tile(from, added, problem->rectified, strip, 4 * LANES, LANES, 4, 4, &nothing);
                store_tile(side, strip, channels, height, width, to);
                t++;
                continue;
            }
            for (int64_t g = 0; g < GROUP; g++) {
                result_tile(from + g * WINOGRAD_RESULTS, added, problem->rectified, strip + g * 4 * LANES,
                            LANES * LANES, LANES, 4, 4, &nothing);
            }
            for (int64_t r = 0; r < 4; r++, to += line) {
                lanes square[LANES];
                UNROLL for (int p = 0; p < LANES; p++) square[p] = load_winograd(strip + (r * LANES + p) * LANES);
                transpose_vectors_winograd(square);
                UNROLL for (int p = 0; p < LANES; p++) store_winograd(to + p * plane, square[p]);
            }
            t += GROUP;
        }
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += nothing[lane];
    return sum == 0;
}

// Weights

/// Nine taps of some kernels (LANES at most, `stride` apart), kernel by kernel in each; zeros for those that are missing.
static void gather_taps(const float *from, int64_t stride, int64_t kernels, float *taps) {
    if (kernels < LANES) {
        for (int64_t t = 0; t < 9; t++) store_winograd(taps + t * LANES, (lanes){0});
    }
    int64_t i = 0;
    for (; i + 4 <= kernels; i += 4) {
        transpose_square_f32(taps + i, LANES, from + i * stride, stride);
        transpose_square_f32(taps + 4 * LANES + i, LANES, from + i * stride + 4, stride);
        for (int64_t j = i; j < i + 4; j++) taps[8 * LANES + j] = from[j * stride + 8];
    }
    for (; i < kernels; i++) {
        for (int64_t t = 0; t < 9; t++) taps[t * LANES + i] = from[i * stride + t];
    }
}

static void transform_weights(const winograd_problem *problem, const winograd_piece *piece, const float *weights,
                              float *transformed) {
    for (int64_t c = 0; c < piece->results; c += LANES) {
        const int64_t kernels = smaller(LANES, piece->results - c);
        const float *from = weights + (piece->result + c) * problem->weight_result;
        for (int64_t s = 0; s < piece->sources; s++) {
            float taps[9 * LANES] __attribute__((aligned(64)));
            const float *first = from + (piece->source + s) * problem->weight_source;
            for (int64_t i = 0; i < kernels; i++) {
                __builtin_prefetch(first + 5 * problem->weight_source + i * problem->weight_result);
            }
            gather_taps(first, problem->weight_result, kernels, taps);
            wide rows[6][3];
            UNROLL for (int j = 0; j < 3; j++) {
                wide column[3], done[6];
                UNROLL for (int r = 0; r < 3; r++) {
                    const int64_t tap = problem->reversed ? 8 - (r * 3 + j) : r * 3 + j;
                    column[r] = __builtin_convertvector(load_winograd(taps + tap * LANES), wide);
                }
                weights_axis(column, done);
                UNROLL for (int r = 0; r < 6; r++) rows[r][j] = done[r];
            }
            float *to = transformed + s * WINOGRAD_RESULTS + c;
            UNROLL for (int r = 0; r < 6; r++) {
                wide done[6];
                weights_axis(rows[r], done);
                UNROLL for (int j = 0; j < 6; j++) {
                    store_winograd(to + (r * 6 + j) * WINOGRAD_WEIGHTS_PLANE, __builtin_convertvector(done[j], lanes));
                }
            }
        }
    }
}

/// G' product G of one row (a result channel) of a piece of the weight gradient. Answers 0, or NaN when that is not finite.
static float weights_back(const winograd_piece *piece, const float *product, float *dw) {
    lanes nothing = {0};
    for (int64_t c = 0; c < piece->sources; c += LANES) {
        lanes rows[3][6];
        UNROLL for (int j = 0; j < 6; j++) {
            lanes column[6], done[3];
            UNROLL for (int r = 0; r < 6; r++) column[r] = load_winograd(product + (r * 6 + j) * WINOGRAD_PRODUCT_PLANE + c);
            weights_back_axis(column, done);
            UNROLL for (int r = 0; r < 3; r++) rows[r][j] = done[r];
        }
        float taps[9 * LANES] __attribute__((aligned(64)));
        UNROLL for (int r = 0; r < 3; r++) {
            lanes done[3];
            weights_back_axis(rows[r], done);
            UNROLL for (int j = 0; j < 3; j++) {
                nothing += 0 * done[j];
                store_winograd(taps + (r * 3 + j) * LANES, done[j]);
            }
        }
        const int64_t kernels = smaller(LANES, piece->sources - c);
        float *to = dw + c * 9;
        int64_t i = 0;
        for (; i + 4 <= kernels; i += 4) {
            transpose_square_f32(to + i * 9, 9, taps + i, LANES);
            transpose_square_f32(to + i * 9 + 4, 9, taps + 4 * LANES + i, LANES);
            for (int64_t j = i; j < i + 4; j++) to[j * 9 + 8] = taps[8 * LANES + j];
        }
        for (; i < kernels; i++) {
            for (int64_t t = 0; t < 9; t++) to[i * 9 + t] = taps[t * LANES + i];
        }
    }
    float sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += nothing[lane];
    return sum;
}
