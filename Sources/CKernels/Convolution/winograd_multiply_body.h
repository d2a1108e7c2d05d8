// The 36 matrix products, for one instruction set.

static int64_t whole_vectors(int64_t count) { return (count + LANES - 1) / LANES * LANES; }

static void multiply(const winograd_problem *problem, const winograd_piece *piece, const float *sources,
                     const float *weights, float *product) {
    const winograd_side *side = &problem->source;
    for (int64_t point = 0; point < WINOGRAD_POINTS; point++) {
        multiply_plane_winograd(piece->tiles, whole_vectors(piece->results), piece->sources, sources + point * side->plane,
                                side->padded_channels, 0, weights + point * WINOGRAD_WEIGHTS_PLANE, WINOGRAD_RESULTS,
                                product + point * WINOGRAD_PRODUCT_PLANE, WINOGRAD_RESULTS, piece->source > 0);
    }
}

static void multiply_gradients(const winograd_problem *problem, const winograd_piece *piece, const float *gradients,
                               const float *sources, float *product, int add) {
    const winograd_side *source = &problem->source, *result = &problem->result;
    for (int64_t point = 0; point < WINOGRAD_POINTS; point++) {
        multiply_plane_winograd(piece->results, whole_vectors(piece->sources), piece->tiles,
                                gradients + point * result->plane, result->padded_channels, 1,
                                sources + point * source->plane, source->padded_channels,
                                product + point * WINOGRAD_PRODUCT_PLANE, WINOGRAD_GRADIENT_SOURCES, add);
    }
}

static int weight_gradient(const winograd_problem *problem, const winograd_piece *piece, const float *product, float *dw) {
    float nothing = 0;
    for (int64_t row = 0; row < piece->results; row++) {
        nothing += weights_back(piece, product + row * WINOGRAD_GRADIENT_SOURCES,
                                dw + (piece->result + row) * problem->weight_result
                                    + piece->source * problem->weight_source);
    }
    return nothing == 0;
}
