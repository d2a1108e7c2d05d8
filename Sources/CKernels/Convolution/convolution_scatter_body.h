// The other way to the input gradient, for one element type and instruction set: for some pixels of dy, the product of
// the transposed weights (a row for each source channel and tap) and dy, whose rows are then added to dx where the taps
// stand. It has no row too many when there are few source channels and meets no padding, but pays for the additions.

typedef struct K(scatter_job) {
    const ck_conv_product *product;  // the forward one: its source is dx, its result dy
    ck_conv_phase phase;
    REAL *dx;
    const REAL *dy, *weights;
    REAL *packed;
    int64_t rows, tiles;             // of a group
    int64_t images_per_block, image_blocks, channels_per_block, channel_blocks, tiles_per_weight_block;
} K(scatter_job);

static void K(pack_scatter_block)(void *context, int64_t block) {
    const K(scatter_job) *job = context;
    int64_t depth = job->product->result_channels, first = block * job->tiles_per_weight_block;
    int64_t end = ck_conv_min(first + job->tiles_per_weight_block, job->tiles * job->product->groups);
    for (int64_t item = first; item < end; item++) {
        int64_t row = item % job->tiles * TILE_ROWS, rows = ck_conv_min(TILE_ROWS, job->rows - row);
        const REAL *in = job->weights + item / job->tiles * depth * job->rows + row;
        REAL *out = job->packed + item * depth * TILE_ROWS;
        for (int64_t k = 0; k < depth; k++, in += job->rows, out += TILE_ROWS) {
            for (int64_t i = 0; i < TILE_ROWS; i++) out[i] = i < rows ? in[i] : 0;
        }
    }
}

/// Adds one row of the product to its source channel.
static inline void K(scatter_row)(const K(scatter_job) *job, const ck_conv_run *runs, int run_count, int64_t channel,
                                  int64_t tap_z, int64_t tap_y, int64_t tap_x, const REAL *row) {
    const ck_conv_product *product = job->product;
    const int64_t *size = product->source_size;
    int64_t step = job->phase.axis[2].pixel_step;
    REAL *plane = job->dx + channel * product->source_plane;
    for (int r = 0; r < run_count; r++) {
        int64_t z = runs[r].z + tap_z, y = runs[r].y + tap_y, x = runs[r].x + tap_x;
        if (z < 0 || z >= size[0] || y < 0 || y >= size[1]) continue;
        int64_t first = 0, end = runs[r].count;
        if (x < 0) first = ck_conv_ceil_div(-x, step);
        if (x + (end - 1) * step >= size[2]) end = ck_conv_ceil_div(size[2] - x, step);
        REAL *out = plane + runs[r].source + (z * size[1] + y) * size[2] + x;
        const REAL *in = row + runs[r].start;
        if (step == 1 && first < end) {
            K(add)(out + first, in + first, end - first);
        } else {
            for (int64_t i = first; i < end; i++) out[i * step] += in[i];
        }
    }
}

/// Rows first..<first + count of the product, in `rows`, go to dx.
static void K(scatter_rows)(const K(scatter_job) *job, const ck_conv_run *runs, int run_count, int64_t first,
                            int64_t count, const REAL *rows) {
    const ck_conv_axis *axis = job->phase.axis;
    int64_t taps = job->phase.taps, tap_plane = axis[1].taps * axis[2].taps;
    // Channel by channel for each tap: neighbouring taps add to nearly the same elements, and each waits for the other.
    for (int64_t tap = 0; tap < taps; tap++) {
        int64_t z = tap / tap_plane * axis[0].tap_step, y = tap % tap_plane / axis[2].taps * axis[1].tap_step;
        int64_t x = tap % axis[2].taps * axis[2].tap_step;
        for (int64_t row = (first + taps - 1 - tap) / taps * taps + tap; row < first + count; row += taps) {
            K(scatter_row)(job, runs, run_count, row / taps, z, y, x, rows + (row - first) * PANEL);
        }
    }
}

/// One panel of pixels and the tiles first..<end.
static void K(scatter_panel)(const K(scatter_job) *job, int64_t group, int64_t first_pixel, int64_t pixels,
                             int64_t first, int64_t end) {
    const ck_conv_product *product = job->product;
    int64_t depth = product->result_channels, chunk = ck_conv_min(depth, COLUMN_SCRATCH / PANEL);
    REAL columns[COLUMN_SCRATCH] __attribute__((aligned(64)));
    REAL rows[SCATTER_TILES * TILE_ROWS * PANEL] __attribute__((aligned(64)));
    ck_conv_run runs[PANEL], pieces[PANEL];
    int run_count = ck_conv_find_runs(product, &job->phase, group, first_pixel, pixels, runs);
    memcpy(pieces, runs, (size_t)run_count * sizeof(ck_conv_run));
    int piece_count = ck_conv_join_runs(&job->phase, pieces, run_count);
    const REAL no_bias[TILE_ROWS] = {0};
    if (pixels < PANEL) memset(columns, 0, (size_t)(chunk * PANEL) * sizeof(REAL));
    for (int64_t tile = first; tile < end; tile += SCATTER_TILES) {
        int64_t tiles = ck_conv_min(SCATTER_TILES, end - tile);
        for (int64_t k = 0; k < depth; k += chunk) {
            int64_t count = ck_conv_min(chunk, depth - k);
            for (int64_t i = 0; i < count && (tile == first || chunk < depth); i++) {
                const REAL *in = job->dy + (k + i) * product->result_plane;
                for (int r = 0; r < piece_count; r++) {
                    K(move)(columns + i * PANEL + pieces[r].start, in + pieces[r].result, pieces[r].count);
                }
            }
            for (int64_t t = 0; t < tiles; t++) {
                const REAL *weights = job->packed + ((group * job->tiles + tile + t) * depth + k) * TILE_ROWS;
                K(multiply_tile)(count, weights, columns, rows + t * TILE_ROWS * PANEL, PANEL, k > 0, no_bias);
            }
        }
        int64_t first_row = tile * TILE_ROWS, row_count = ck_conv_min(tiles * TILE_ROWS, job->rows - first_row);
        K(scatter_rows)(job, runs, run_count, first_row, row_count, rows);
    }
}

/// Some whole images, some source channels of a group.
static void K(scatter_block)(void *context, int64_t index) {
    const K(scatter_job) *job = context;
    const ck_conv_product *product = job->product;
    int64_t channel = index % job->channel_blocks * job->channels_per_block;
    int64_t end_channel = ck_conv_min(channel + job->channels_per_block, product->source_channels);
    int64_t image = index / job->channel_blocks % job->image_blocks * job->images_per_block;
    int64_t end_image = ck_conv_min(image + job->images_per_block, product->batch);
    int64_t group = index / job->channel_blocks / job->image_blocks, taps = job->phase.taps;
    for (int64_t i = image; i < end_image; i++) {
        int64_t first = (i * product->groups + group) * product->source_channels + channel;
        memset(job->dx + first * product->source_plane, 0,
               (size_t)((end_channel - channel) * product->source_plane) * sizeof(REAL));
    }
    int64_t end = end_image * job->phase.pixels;
    for (int64_t pixel = image * job->phase.pixels; pixel < end; pixel += PANEL) {
        K(scatter_panel)(job, group, pixel, ck_conv_min(PANEL, end - pixel), channel * taps / TILE_ROWS,
                         ck_conv_ceil_div(end_channel * taps, TILE_ROWS));
    }
}

/// Enough images for a block's work, and a few more where that leaves fewer empty places in the last panel.
static int64_t K(scatter_images)(const K(scatter_job) *job) {
    int64_t pixels = job->phase.pixels;
    int64_t enough = ck_conv_ceil_div(CK_CONV_BLOCK_WORK, job->rows * job->product->result_channels * pixels + 1);
    int64_t best = enough;
    double best_waste = 1;
    for (int64_t images = enough; images < enough + 8 && images <= job->product->batch; images++) {
        int64_t padded = ck_conv_ceil_div(images * pixels, PANEL) * PANEL;
        double waste = 1 - (double)(images * pixels) / (double)padded;
        if (waste + 0.02 < best_waste) {
            best = images;
            best_waste = waste;
        }
    }
    return best;
}

static void K(scatter_product)(const ck_conv_product *product, REAL *dx, const REAL *dy, const REAL *weights,
                               REAL *packed) {
    K(scatter_job) job = {
        .product = product, .phase = ck_conv_phase_at(product, 0),
        .dx = dx, .dy = dy, .weights = weights, .packed = packed,
        .rows = product->source_channels * product->kernel_volume,
    };
    job.tiles = ck_conv_ceil_div(job.rows, TILE_ROWS);
    job.images_per_block = K(scatter_images)(&job);
    job.image_blocks = ck_conv_ceil_div(product->batch, job.images_per_block);
    int64_t wanted = ck_conv_ceil_div(CK_CONV_ENOUGH_BLOCKS, job.image_blocks * product->groups);
    // Blocks of channels begin where tiles begin.
    int64_t steps = ck_conv_ceil_div(product->source_channels, TILE_ROWS);
    job.channels_per_block = ck_conv_ceil_div(steps, ck_conv_max(1, ck_conv_min(wanted, steps))) * TILE_ROWS;
    job.channel_blocks = ck_conv_ceil_div(product->source_channels, job.channels_per_block);
    int64_t work = job.rows * product->result_channels * job.images_per_block * job.phase.pixels;
    if (work < 2 * CK_CONV_BLOCK_WORK) {
        job.channels_per_block = steps * TILE_ROWS;
        job.channel_blocks = 1;
    }
    int64_t items = product->groups * job.tiles;
    job.tiles_per_weight_block = ck_conv_ceil_div(CK_CONV_PACK_ELEMENTS, product->result_channels * TILE_ROWS);
    ck_conv_blocks(ck_conv_ceil_div(items, job.tiles_per_weight_block), K(pack_scatter_block), &job);
    ck_conv_blocks(product->groups * job.image_blocks * job.channel_blocks, K(scatter_block), &job);
}

/// The cheaper way, by what each has to multiply and move for an element of the kernel (in multiplications).
static void K(input_grad)(const ck_conv_product *backward, const ck_conv_product *forward, REAL *dx, const REAL *dy,
                          const REAL *weights, REAL *packed) {
    int64_t phases = backward->phase_count[0] * backward->phase_count[1] * backward->phase_count[2];
    double channels = (double)forward->source_channels, depth = (double)forward->result_channels;
    double padded_channels = (double)(ck_conv_ceil_div(forward->source_channels, TILE_ROWS) * TILE_ROWS);
    double addition = forward->phases[2]->pixel_step == 1 ? 10 : 24;
    double scatter = channels * (depth + addition) * (double)forward->result_plane;
    double gather = (padded_channels + 3) * depth * (double)forward->source_plane / (double)(phases > 0 ? phases : 1);
    int possible = forward->result_plane > 0 && forward->batch > 0 && forward->result_channels > 0;
    if (possible && scatter < 0.9 * gather && !K(is_direct)(backward)) {
        K(scatter_product)(forward, dx, dy, weights, packed);
    } else {
        K(product)(backward, dx, dy, weights, 0, packed);
    }
}
