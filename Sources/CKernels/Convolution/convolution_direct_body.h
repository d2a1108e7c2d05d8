// Forward pass and input gradient when a group has hardly any channels (depthwise convolutions), for one element type and
// instruction set: a matrix product would be mostly padding. Each tap adds a row of the source to a row of the result.

typedef struct K(direct_job) {
    const ck_conv_product *product;
    REAL *result;
    const REAL *source, *weights, *bias;
    int64_t planes, planes_per_block;  // of the result: images, groups and channels
} K(direct_job);

/// The rows of the source that a row of the result sees, each with its row of the kernel.
typedef struct K(direct_rows) {
    const REAL *in[DIRECT_ROWS], *weights[DIRECT_ROWS];
    int count;
} K(direct_rows);

/// One element of the result, some of whose taps may stand beside the source.
static inline REAL K(direct_element)(const ck_conv_axis *axis, int64_t width, const K(direct_rows) *rows, int64_t pixel) {
    REAL sum = 0;
    for (int r = 0; r < rows->count; r++) {
        for (int64_t tap = 0; tap < axis->taps; tap++) {
            int64_t x = axis->origin + pixel * axis->pixel_step + tap * axis->tap_step;
            if (x >= 0 && x < width) sum += rows->weights[r][tap * axis->kernel_step] * rows->in[r][x];
        }
    }
    return sum;
}

/// `sum` and the taps of a vector of the result, all of which stand in the source; pixels are 1 or 2 apart there.
static inline __attribute__((always_inline)) K(vector) K(direct_vector)(const ck_conv_axis *axis, int64_t taps,
                                                                        int64_t step, const K(direct_rows) *rows,
                                                                        int64_t pixel, K(vector) sum) {
    for (int r = 0; r < rows->count; r++) {
        const REAL *from = rows->in[r] + axis->origin + pixel * step, *weight = rows->weights[r];
        for (int64_t tap = 0; tap < taps; tap++, from += axis->tap_step, weight += axis->kernel_step) {
            sum += *weight * (step == 1 ? K(load)(from) : K(load_even)(from));
        }
    }
    return sum;
}

/// The pixels first..<end, at least a vector. The last vector may overlap the one before: what it starts from is read first.
static inline __attribute__((always_inline)) void K(direct_span)(const ck_conv_axis *axis, int64_t taps, int64_t step,
                                                                 REAL *out, const K(direct_rows) *rows, int64_t first,
                                                                 int64_t end) {
    K(vector) last = K(load)(out + end - LANES);
    int64_t i = first;
    for (; i + LANES <= end; i += LANES) {
        K(store)(out + i, K(direct_vector)(axis, taps, step, rows, i, K(load)(out + i)));
    }
    if (i < end) K(store)(out + end - LANES, K(direct_vector)(axis, taps, step, rows, end - LANES, last));
}

/// Adds to one row of the result what these rows give.
static void K(direct_row)(const ck_conv_axis *axis, int64_t width, REAL *out, const K(direct_rows) *rows) {
    int64_t taps = axis->taps, reach = (taps - 1) * axis->tap_step, step = axis->pixel_step;
    int64_t low = axis->origin + ck_conv_min(0, reach), high = axis->origin + ck_conv_max(0, reach);
    // From first to end all taps stand in the source; the second half of a vector of pairs reaches one element further.
    int64_t first = ck_conv_min(axis->pixels, low < 0 ? ck_conv_ceil_div(-low, step) : 0), i = 0;
    int64_t end = high < width ? ck_conv_min(axis->pixels, ck_conv_ceil_div(width - high, step)) : 0;
    if (step == 2) end = ck_conv_min(end, (width - high) / 2);
    for (; i < first; i++) out[i * axis->result_step] += K(direct_element)(axis, width, rows, i);
    if (axis->result_step == 1 && step <= 2 && end - first >= LANES) {
        if (step == 1 && taps == 3) {
            K(direct_span)(axis, 3, 1, out, rows, first, end);
        } else if (step == 1) {
            K(direct_span)(axis, taps, 1, out, rows, first, end);
        } else {
            K(direct_span)(axis, taps, 2, out, rows, first, end);
        }
        i = end;
    }
    for (; i < axis->pixels; i++) out[i * axis->result_step] += K(direct_element)(axis, width, rows, i);
}

/// Adds one source plane, through one phase.
static void K(direct_plane)(const ck_conv_product *product, const ck_conv_phase *phase, REAL *out, const REAL *in,
                            const REAL *weights) {
    const ck_conv_axis *az = &phase->axis[0], *ay = &phase->axis[1], *ax = &phase->axis[2];
    const int64_t *size = product->source_size, row_taps = az->taps * ay->taps;
    if (row_taps * ax->taps == 0) return;
    for (int64_t pixel = 0; pixel < az->pixels * ay->pixels; pixel++) {
        int64_t z = pixel / ay->pixels, y = pixel % ay->pixels;
        int64_t row = (az->first_result + z * az->result_step) * product->result_size[1] + ay->first_result
            + y * ay->result_step;
        REAL *to = out + row * product->result_size[2] + ax->first_result;
        K(direct_rows) rows = {.count = 0};
        for (int64_t tap = 0; tap < row_taps; tap++) {
            int64_t tap_z = tap / ay->taps, tap_y = tap % ay->taps;
            int64_t from_z = az->origin + z * az->pixel_step + tap_z * az->tap_step;
            int64_t from_y = ay->origin + y * ay->pixel_step + tap_y * ay->tap_step;
            if (from_z < 0 || from_z >= size[0] || from_y < 0 || from_y >= size[1]) continue;
            int64_t kernel_row = (az->first_kernel + tap_z * az->kernel_step) * product->kernel[1]
                + ay->first_kernel + tap_y * ay->kernel_step;
            rows.in[rows.count] = in + (from_z * size[1] + from_y) * size[2];
            rows.weights[rows.count++] = weights + kernel_row * product->kernel[2] + ax->first_kernel;
            if (rows.count < DIRECT_ROWS) continue;
            K(direct_row)(ax, size[2], to, &rows);
            rows.count = 0;
        }
        if (rows.count > 0) K(direct_row)(ax, size[2], to, &rows);
    }
}

static void K(direct_block)(void *context, int64_t block) {
    const K(direct_job) *job = context;
    const ck_conv_product *product = job->product;
    int64_t rows = product->result_channels, channels = product->source_channels;
    int64_t phases = product->phase_count[0] * product->phase_count[1] * product->phase_count[2];
    int64_t first = block * job->planes_per_block, end = ck_conv_min(first + job->planes_per_block, job->planes);
    for (int64_t plane = first; plane < end; plane++) {
        int64_t row = plane % rows, group = plane / rows % product->groups, image = plane / rows / product->groups;
        REAL *out = job->result + plane * product->result_plane;
        REAL start = job->bias ? job->bias[group * rows + row] : 0;
        for (int64_t i = 0; i < product->result_plane; i++) out[i] = start;
        for (int64_t index = 0; index < phases; index++) {
            ck_conv_phase phase = ck_conv_phase_at(product, index);
            for (int64_t channel = 0; channel < channels; channel++) {
                int64_t from = (image * product->groups + group) * channels + channel;
                K(direct_plane)(product, &phase, out, job->source + from * product->source_plane,
                                job->weights + group * product->weight_group + row * product->weight_row
                                    + channel * product->weight_channel);
            }
        }
    }
}

static int K(is_direct)(const ck_conv_product *product) {
    return product->groups > 1 && product->source_channels <= 2 && product->result_channels <= 2;
}

static void K(direct_product)(const ck_conv_product *product, REAL *result, const REAL *source, const REAL *weights,
                              const REAL *bias) {
    K(direct_job) job = {
        .product = product, .result = result, .source = source, .weights = weights, .bias = bias,
        .planes = product->batch * product->groups * product->result_channels,
    };
    int64_t work = product->result_plane * product->kernel_volume * product->source_channels + 1;
    job.planes_per_block = ck_conv_ceil_div(CK_CONV_BLOCK_WORK / 4, work);
    ck_conv_blocks(ck_conv_ceil_div(job.planes, job.planes_per_block), K(direct_block), &job);
}
