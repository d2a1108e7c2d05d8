// The weight gradient for one element type and instruction set: dw[row, k] = sum over pixels of dy[row, pixel] *
// columns[k, pixel], a product of two matrices that both lie along the pixels. So the tile keeps vectors of partial
// sums over pixels, and adds up their lanes at the end of each chunk of pixels.

#define DOT_STRIDE (DOT_PIXELS + LANES)
#define DOT_SUMS ((DOT_ROWS * DOT_COLUMNS + LANES - 1) / LANES * LANES)

typedef struct K(weights_job) {
    const ck_conv_product *product;  // the forward one
    ck_conv_phase phase;
    ck_conv_weights_plan plan;
    REAL *sums;                      // plan.parts gradients one after the other
    const REAL *gradient, *source;
    REAL *result;
    int64_t elements;                // of a gradient
} K(weights_job);

/// First half: sums of neighbours in a; second half: in b.
static inline __attribute__((always_inline)) K(vector) K(fold)(K(vector) a, K(vector) b) {
    return __builtin_shufflevector(a, b, EVEN_LANES) + __builtin_shufflevector(a, b, ODD_LANES);
}

/// sums[i * DOT_COLUMNS + j] = the dot product of row i of a and row j of b over `pixels` (a multiple of LANES).
static void K(dot_tile)(int64_t pixels, const REAL *restrict a, const REAL *restrict b, REAL *restrict sums) {
    K(vector) tile[DOT_SUMS];
    UNROLL for (int i = 0; i < DOT_SUMS; i++) tile[i] = (K(vector)){0};
    for (int64_t p = 0; p < pixels; p += LANES) {
        K(vector) column[DOT_COLUMNS];
        UNROLL for (int j = 0; j < DOT_COLUMNS; j++) column[j] = K(load)(b + j * DOT_STRIDE + p);
        UNROLL for (int i = 0; i < DOT_ROWS; i++) {
            K(vector) row = K(load)(a + i * DOT_STRIDE + p);
            UNROLL for (int j = 0; j < DOT_COLUMNS; j++) tile[i * DOT_COLUMNS + j] += row * column[j];
        }
    }
    UNROLL for (int g = 0; g < DOT_SUMS; g += LANES) {
        UNROLL for (int n = LANES / 2; n > 0; n /= 2) {
            UNROLL for (int i = 0; i < n; i++) tile[g + i] = K(fold)(tile[g + 2 * i], tile[g + 2 * i + 1]);
        }
        K(store)(sums + g, tile[g]);
    }
}

/// `rows` rows of dy from `first_row`, pixels first..<first + count, zeros behind up to whole vectors and tiles.
static void K(pack_gradient)(const K(weights_job) *job, int64_t channel, int64_t rows, int64_t first, int64_t count,
                             REAL *out) {
    const ck_conv_product *product = job->product;
    int64_t plane = product->result_plane, channels = product->groups * product->result_channels;
    int64_t padded = (count + LANES - 1) / LANES * LANES;
    for (int64_t i = 0; i < (rows + DOT_ROWS - 1) / DOT_ROWS * DOT_ROWS; i++, out += DOT_STRIDE) {
        int64_t done = 0;
        while (i < rows && done < count) {
            int64_t image = (first + done) / plane, pixel = (first + done) % plane;
            int64_t here = ck_conv_min(plane - pixel, count - done);
            K(move)(out + done, job->gradient + (image * channels + channel + i) * plane + pixel, here);
            done += here;
        }
        memset(out + done, 0, (size_t)(padded - done) * sizeof(REAL));
    }
}

/// `count` rows of the column matrix, zeros behind up to whole vectors and tiles.
static void K(pack_dot_columns)(const K(weights_job) *job, const K(layout) *layout, int64_t pixels, int64_t first,
                                int64_t count, REAL *out) {
    int64_t padded = (pixels + LANES - 1) / LANES * LANES;
    K(pack_columns)(job->product, &job->phase, layout, job->source, first, count, out, DOT_STRIDE);
    for (int64_t k = 0; k < (count + DOT_COLUMNS - 1) / DOT_COLUMNS * DOT_COLUMNS; k++) {
        int64_t packed = k < count ? pixels : 0;
        memset(out + k * DOT_STRIDE + packed, 0, (size_t)(padded - packed) * sizeof(REAL));
    }
}

/// sums = gradient * columns for one chunk of pixels, or += when `add`.
static void K(multiply_strip)(int64_t pixels, const REAL *gradient, int64_t rows, const REAL *columns,
                              int64_t column_count, REAL *sums, int64_t sums_stride, int add) {
    for (int64_t i = 0; i < rows; i += DOT_ROWS) {
        for (int64_t j = 0; j < column_count; j += DOT_COLUMNS) {
            REAL tile[DOT_SUMS];
            K(dot_tile)(pixels, gradient + i * DOT_STRIDE, columns + j * DOT_STRIDE, tile);
            int64_t tile_rows = ck_conv_min(DOT_ROWS, rows - i);
            int64_t tile_columns = ck_conv_min(DOT_COLUMNS, column_count - j);
            for (int64_t r = 0; r < tile_rows; r++) {
                REAL *out = sums + (i + r) * sums_stride + j;
                for (int64_t c = 0; c < tile_columns; c++) out[c] = (add ? out[c] : 0) + tile[r * DOT_COLUMNS + c];
            }
        }
    }
}

static void K(weights_block)(void *context, int64_t index) {
    const K(weights_job) *job = context;
    const ck_conv_product *product = job->product;
    const ck_conv_weights_plan *plan = &job->plan;
    int64_t rows_all = product->result_channels, depth = product->source_channels * product->kernel_volume;
    int64_t column_block = index % plan->column_blocks, row_block = index / plan->column_blocks % plan->row_blocks;
    int64_t outer = index / plan->column_blocks / plan->row_blocks;
    int64_t group = outer % product->groups, part = outer / product->groups;
    int64_t first_row = row_block * CK_CONV_DOT_ROWS, rows = ck_conv_min(CK_CONV_DOT_ROWS, rows_all - first_row);
    int64_t first_column = column_block * CK_CONV_DOT_COLUMNS;
    int64_t end_column = ck_conv_min(first_column + CK_CONV_DOT_COLUMNS, depth);
    int64_t part_pixels = plan->chunks_per_part * DOT_PIXELS;
    int64_t first_pixel = part * part_pixels;
    int64_t end_pixel = ck_conv_min(first_pixel + part_pixels, product->batch * product->result_plane);
    REAL *sums = job->sums + part * job->elements + (group * rows_all + first_row) * depth;

    REAL gradient[CK_CONV_DOT_ROWS * DOT_STRIDE] __attribute__((aligned(64)));
    REAL columns[DOT_STRIP * DOT_STRIDE + LANES] __attribute__((aligned(64)));
    ck_conv_run runs[DOT_PIXELS];
    K(layout) layout;
    for (int64_t pixel = first_pixel; pixel < end_pixel; pixel += DOT_PIXELS) {
        int64_t pixels = ck_conv_min(DOT_PIXELS, end_pixel - pixel), padded = (pixels + LANES - 1) / LANES * LANES;
        int run_count = ck_conv_find_runs(product, &job->phase, group, pixel, pixels, runs);
        K(find_layout)(&layout, product, &job->phase, runs, run_count);
        K(pack_gradient)(job, group * rows_all + first_row, rows, pixel, pixels, gradient);
        for (int64_t strip = first_column; strip < end_column; strip += DOT_STRIP) {
            int64_t strip_columns = ck_conv_min(DOT_STRIP, end_column - strip);
            K(pack_dot_columns)(job, &layout, pixels, strip, strip_columns, columns);
            K(multiply_strip)(padded, gradient, rows, columns, strip_columns, sums + strip, depth, pixel > first_pixel);
        }
    }
}

/// Adds up the parts, in order.
static void K(add_parts_block)(void *context, int64_t block) {
    const K(weights_job) *job = context;
    int64_t first = block * CK_CONV_PACK_ELEMENTS, end = ck_conv_min(first + CK_CONV_PACK_ELEMENTS, job->elements);
    for (int64_t i = first; i < end; i++) {
        REAL sum = job->sums[i];
        for (int64_t part = 1; part < job->plan.parts; part++) sum += job->sums[part * job->elements + i];
        job->result[i] = sum;
    }
}

static void K(weight_grad)(const ck_conv_product *product, REAL *result, const REAL *gradient, const REAL *source,
                           REAL *workspace) {
    K(weights_job) job = {
        .product = product, .phase = ck_conv_phase_at(product, 0),
        .plan = ck_conv_plan_weights(product, DOT_PIXELS), .gradient = gradient, .source = source, .result = result,
        .elements = product->groups * product->result_channels * product->source_channels * product->kernel_volume,
    };
    if (product->batch * product->result_plane == 0) {
        memset(result, 0, (size_t)job.elements * sizeof(REAL));
        return;
    }
    job.sums = job.plan.parts > 1 ? workspace : result;
    int64_t tiles = product->groups * job.plan.row_blocks * job.plan.column_blocks;
    ck_conv_blocks(job.plan.parts * tiles, K(weights_block), &job);
    if (job.plan.parts > 1) {
        ck_conv_blocks(ck_conv_ceil_div(job.elements, CK_CONV_PACK_ELEMENTS), K(add_parts_block), &job);
    }
}
