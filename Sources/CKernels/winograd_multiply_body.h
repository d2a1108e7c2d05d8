// The 36 matrix products, for one instruction set.

/// The rows of a register tile when `rows` go in tiles of nearly the same height.
static int64_t even_rows(int64_t rows) {
    const int64_t count = (rows + MAX_ROWS - 1) / MAX_ROWS;
    return (rows + count - 1) / count;
}

/// C = A B, or C += A B, as matmul_tile.h: `columns` is a multiple of LANES.
static void multiply_plane(int64_t rows, int64_t columns, int64_t k, const float *a, int64_t a_step, int packed,
                           const float *b, int64_t b_row, float *c, int64_t c_row, int accumulate) {
    const int64_t height = even_rows(rows);
    for (int64_t j = 0; j < columns; j += PANEL) {
        const int64_t vectors = smaller(VECTORS, (columns - j) / LANES);
        for (int64_t i = 0; i < rows; i += height) {
            const int64_t count = smaller(height, rows - i);
            float *const to = c + i * c_row + j;
            tiles_winograd[count - 1][vectors - 1][packed](k, a + i * (packed ? 1 : a_step), a_step, b + j, b_row, to,
                                                           c_row, 1, accumulate ? to : 0, c_row);
        }
    }
}

static int64_t whole_vectors(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

static void multiply(const winograd_problem *problem, const winograd_piece *piece, const float *sources,
                     const float *weights, float *product) {
    const winograd_side *side = &problem->source;
    const float *from = sources + piece->tile * side->padded_channels + piece->source;
    for (int64_t point = 0; point < WINOGRAD_POINTS; point++) {
        multiply_plane(piece->tiles, whole_vectors(piece->results), piece->sources, from + point * side->plane,
                       side->padded_channels, 0, weights + point * WINOGRAD_WEIGHTS_PLANE, WINOGRAD_RESULTS,
                       product + point * WINOGRAD_PRODUCT_PLANE, WINOGRAD_RESULTS, piece->source > 0);
    }
}

static int weight_gradient(const winograd_problem *problem, const winograd_piece *piece, const float *gradients,
                           const float *sources, float *product, float *dw) {
    const winograd_side *source = &problem->source, *result = &problem->result;
    const float *a = gradients + piece->tile * result->padded_channels + piece->result;
    const float *b = sources + piece->tile * source->padded_channels + piece->source;
    for (int64_t point = 0; point < WINOGRAD_POINTS; point++) {
        multiply_plane(piece->results, whole_vectors(piece->sources), piece->tiles, a + point * result->plane,
                       result->padded_channels, 1, b + point * source->plane, source->padded_channels,
                       product + point * WINOGRAD_PRODUCT_PLANE, WINOGRAD_GRADIENT_SOURCES, 0);
    }
    float nothing = 0;
    for (int64_t row = 0; row < piece->results; row++) {
        nothing += weights_back(piece, product + row * WINOGRAD_GRADIENT_SOURCES,
                                dw + (piece->result + row) * problem->weight_result
                                    + piece->source * problem->weight_source);
    }
    return nothing == 0;
}
