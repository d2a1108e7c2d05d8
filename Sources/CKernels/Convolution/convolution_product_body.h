// The implicit matrix product behind the forward pass and the input gradient, for one element type and instruction set.

#define PANEL (TILE_VECTORS * LANES)

typedef struct K(product_job) {
    const ck_conv_product *product;
    REAL *result;
    const REAL *source, *weights, *bias;
    REAL *packed;
    int64_t tiles;                         // of TILE_ROWS rows, in a group
    int64_t weight_blocks, tiles_per_weight_block;
    int64_t pixel_blocks, panels_per_block, panels_per_batch, row_blocks, tiles_per_row_block, chunk;
} K(product_job);

/// The packed weights of a phase and group: for each tile, depth by TILE_ROWS.
static REAL *K(packed_weights)(const K(product_job) *job, const ck_conv_phase *phase, int64_t group) {
    int64_t padded_rows = job->tiles * TILE_ROWS, channels = job->product->source_channels;
    return job->packed + padded_rows * channels * (job->product->groups * phase->taps_before + group * phase->taps);
}

static void K(pack_tile)(const K(product_job) *job, const ck_conv_phase *phase, int64_t group, int64_t tile) {
    const ck_conv_product *product = job->product;
    const ck_conv_axis *axis = phase->axis;
    int64_t first_row = tile * TILE_ROWS, rows = ck_conv_min(TILE_ROWS, product->result_channels - first_row);
    int64_t depth = product->source_channels * phase->taps;
    REAL *out = K(packed_weights)(job, phase, group) + tile * TILE_ROWS * depth;
    const REAL *weights = job->weights + group * product->weight_group + first_row * product->weight_row;
    for (int64_t channel = 0; channel < product->source_channels; channel++) {
        for (int64_t z = 0; z < axis[0].taps; z++) {
            for (int64_t y = 0; y < axis[1].taps; y++) {
                int64_t kernel_row = (axis[0].first_kernel + z * axis[0].kernel_step) * product->kernel[1]
                    + axis[1].first_kernel + y * axis[1].kernel_step;
                const REAL *in = weights + channel * product->weight_channel + kernel_row * product->kernel[2]
                    + axis[2].first_kernel;
                for (int64_t x = 0; x < axis[2].taps; x++, out += TILE_ROWS) {
                    for (int64_t i = 0; i < TILE_ROWS; i++) {
                        out[i] = i < rows ? in[i * product->weight_row + x * axis[2].kernel_step] : 0;
                    }
                }
            }
        }
    }
}

static void K(pack_weights_block)(void *context, int64_t block) {
    const K(product_job) *job = context;
    int64_t phases = job->product->phase_count[0] * job->product->phase_count[1] * job->product->phase_count[2];
    int64_t items = phases * job->product->groups * job->tiles, first = block * job->tiles_per_weight_block;
    for (int64_t item = first; item < ck_conv_min(first + job->tiles_per_weight_block, items); item++) {
        ck_conv_phase phase = ck_conv_phase_at(job->product, item / job->tiles / job->product->groups);
        K(pack_tile)(job, &phase, item / job->tiles % job->product->groups, item % job->tiles);
    }
}

/// c (TILE_ROWS by PANEL) = weights * columns + (c if `add`, else the bias of each row). The sums start from 0 and all
/// rows are computed, whether used or not: any choice here costs the compiler its hold on the registers.
static __attribute__((noinline)) void K(multiply_tile)(int64_t depth, const REAL *restrict weights,
                                                       const REAL *restrict columns, REAL *restrict c,
                                                       int64_t c_stride, int add, const REAL *restrict bias) {
    K(vector) sums[TILE_ROWS][TILE_VECTORS];
    UNROLL for (int i = 0; i < TILE_ROWS; i++) {
        UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] = (K(vector)){0};
    }
    for (int64_t k = 0; k < depth; k++, weights += TILE_ROWS, columns += PANEL) {
        K(vector) column[TILE_VECTORS];
        UNROLL for (int j = 0; j < TILE_VECTORS; j++) column[j] = K(load)(columns + j * LANES);
        UNROLL for (int i = 0; i < TILE_ROWS; i++) {
            K(vector) weight = weights[i] - (K(vector)){0};  // in every lane; x - 0 is x, -0 included
            UNROLL for (int j = 0; j < TILE_VECTORS; j++) sums[i][j] += column[j] * weight;
            KEEP_ORDER(sums[i]);
        }
    }
    UNROLL for (int i = 0; i < TILE_ROWS; i++) {
        UNROLL for (int j = 0; j < TILE_VECTORS; j++) {
            REAL *out = c + i * c_stride + j * LANES;
            K(store)(out, add ? sums[i][j] + K(load)(out) : sums[i][j] + bias[i]);
        }
    }
}

/// Moves a tile from (`store`: to) the result to (from) a compact copy, rows by PANEL, when its pixels are not
/// neighbours in the result.
static void K(move_tile)(const ck_conv_product *product, const ck_conv_phase *phase, const ck_conv_run *runs,
                         int run_count, int64_t rows, REAL *result, REAL *tile, int store) {
    int64_t step = phase->axis[2].result_step;
    for (int64_t i = 0; i < rows; i++, result += product->result_plane, tile += PANEL) {
        for (int r = 0; r < run_count; r++) {
            REAL *at = result + runs[r].result, *copy = tile + runs[r].start;
            if (step == 1) {
                K(move)(store ? at : copy, store ? copy : at, runs[r].count);
            } else if (store) {
                for (int64_t x = 0; x < runs[r].count; x++) at[x * step] = copy[x];
            } else {
                for (int64_t x = 0; x < runs[r].count; x++) copy[x] = at[x * step];
            }
        }
    }
}

/// What a block works on: some pixels of a phase and group, and some tiles of rows.
typedef struct K(product_block) {
    ck_conv_phase phase;
    int64_t group, first_pixel, pixels, first_tile, tiles, depth;
} K(product_block);

/// Adds depth first..<first + count of the product to one panel's results.
static void K(multiply_panel)(const K(product_job) *job, const K(product_block) *block, const REAL *columns,
                              int64_t first_pixel, int64_t pixels, int64_t first, int64_t count) {
    const ck_conv_product *product = job->product;
    ck_conv_run runs[PANEL];
    int run_count = ck_conv_find_runs(product, &block->phase, block->group, first_pixel, pixels, runs);
    run_count = ck_conv_join_runs(&block->phase, runs, run_count);
    int direct = block->phase.dense && run_count == 1 && pixels == PANEL;
    const REAL *weights = K(packed_weights)(job, &block->phase, block->group) + first * TILE_ROWS;
    for (int64_t tile = block->first_tile; tile < block->first_tile + block->tiles; tile++) {
        int64_t row = tile * TILE_ROWS, rows = ck_conv_min(TILE_ROWS, product->result_channels - row);
        REAL *result = job->result + row * product->result_plane;
        const REAL *tile_weights = weights + tile * TILE_ROWS * block->depth;
        REAL bias[TILE_ROWS] = {0};
        const REAL *group_bias = job->bias ? job->bias + block->group * product->result_channels : 0;
        if (group_bias) memcpy(bias, group_bias + row, (size_t)rows * sizeof(REAL));
        if (direct && rows == TILE_ROWS) {
            REAL *c = result + runs[0].result;
            K(multiply_tile)(count, tile_weights, columns, c, product->result_plane, first > 0, bias);
        } else {
            REAL copy[TILE_ROWS * PANEL] __attribute__((aligned(64)));
            if (first > 0) K(move_tile)(product, &block->phase, runs, run_count, rows, result, copy, 0);
            K(multiply_tile)(count, tile_weights, columns, copy, PANEL, first > 0, bias);
            K(move_tile)(product, &block->phase, runs, run_count, rows, result, copy, 1);
        }
    }
}

/// The columns of some panels, one panel (count by PANEL) after the other.
static void K(pack_panels)(const K(product_job) *job, const K(product_block) *block, int64_t first_pixel,
                           int64_t pixels, int64_t first, int64_t count, REAL *out) {
    if (count == 0) return;
    for (int64_t pixel = 0; pixel < pixels; pixel += PANEL, out += count * PANEL) {
        int64_t here = ck_conv_min(PANEL, pixels - pixel);
        ck_conv_run runs[PANEL];
        int run_count = ck_conv_find_runs(job->product, &block->phase, block->group, first_pixel + pixel, here, runs);
        K(layout) layout;
        K(find_layout)(&layout, job->product, &block->phase, runs, run_count);
        if (here < PANEL) memset(out, 0, (size_t)(count * PANEL) * sizeof(REAL));
        K(pack_columns)(job->product, &block->phase, &layout, job->source, first, count, out, PANEL);
    }
}

static void K(multiply_block)(void *context, int64_t index) {
    const K(product_job) *job = context;
    const ck_conv_product *product = job->product;
    int64_t row_block = index % job->row_blocks, pixel_block = index / job->row_blocks % job->pixel_blocks;
    int64_t outer = index / job->row_blocks / job->pixel_blocks;
    K(product_block) block = {.group = outer % product->groups};
    block.phase = ck_conv_phase_at(product, outer / product->groups);
    block.depth = product->source_channels * block.phase.taps;
    block.first_tile = row_block * job->tiles_per_row_block;
    block.tiles = ck_conv_min(job->tiles_per_row_block, job->tiles - block.first_tile);
    block.first_pixel = pixel_block * job->panels_per_block * PANEL;
    // Later phases may have fewer pixels than the first, which the blocks are counted for.
    block.pixels = ck_conv_min(job->panels_per_block * PANEL, product->batch * block.phase.pixels - block.first_pixel);

    // Depth goes by chunks, pixels by batches of panels, so that the columns at hand stay in the nearest caches.
    REAL scratch[COLUMN_SCRATCH + LANES] __attribute__((aligned(64)));
    for (int64_t pixel = 0; pixel < block.pixels; pixel += job->panels_per_batch * PANEL) {
        int64_t pixels = ck_conv_min(job->panels_per_batch * PANEL, block.pixels - pixel);
        for (int64_t first = 0; first == 0 || first < block.depth; first += job->chunk) {
            int64_t count = ck_conv_min(job->chunk, block.depth - first);
            K(pack_panels)(job, &block, block.first_pixel + pixel, pixels, first, count, scratch);
            for (int64_t panel = 0; panel < pixels; panel += PANEL) {
                K(multiply_panel)(job, &block, scratch + panel * count, block.first_pixel + pixel + panel,
                                  ck_conv_min(PANEL, pixels - panel), first, count);
            }
        }
    }
}

/// The sizes of blocks: each with work for some tens of microseconds, split over rows too when there are few pixels.
static void K(plan_blocks)(K(product_job) *job, int64_t phases, int64_t pixels) {
    const ck_conv_product *product = job->product;
    int64_t depth = product->source_channels * product->kernel_volume;
    int64_t panels = ck_conv_ceil_div(pixels, PANEL), rows = job->tiles * TILE_ROWS;
    job->chunk = ck_conv_max(1, ck_conv_min(depth, COLUMN_CHUNK));
    job->panels_per_batch = COLUMN_SCRATCH / (job->chunk * PANEL);
    int64_t panel_work = rows * ck_conv_ceil_div(depth, phases) * PANEL + rows;
    job->panels_per_block = ck_conv_max(1, CK_CONV_BLOCK_WORK / panel_work);
    job->pixel_blocks = ck_conv_ceil_div(panels, job->panels_per_block);
    int64_t blocks = phases * product->groups * job->pixel_blocks;
    int64_t splits = ck_conv_min(CK_CONV_ENOUGH_BLOCKS / blocks, panel_work / CK_CONV_BLOCK_WORK);
    job->tiles_per_row_block = ck_conv_max(ck_conv_ceil_div(CK_CONV_ROWS_AT_LEAST, TILE_ROWS),
                                           ck_conv_ceil_div(job->tiles, ck_conv_max(1, splits)));
    job->row_blocks = ck_conv_ceil_div(job->tiles, job->tiles_per_row_block);
    int64_t tile_elements = ck_conv_ceil_div(depth * TILE_ROWS, phases) + 1;
    job->tiles_per_weight_block = ck_conv_ceil_div(CK_CONV_PACK_ELEMENTS, tile_elements);
    job->weight_blocks = ck_conv_ceil_div(phases * product->groups * job->tiles, job->tiles_per_weight_block);
}

static void K(product)(const ck_conv_product *product, REAL *result, const REAL *source, const REAL *weights,
                       const REAL *bias, REAL *packed) {
    int64_t phases = product->phase_count[0] * product->phase_count[1] * product->phase_count[2];
    if (phases == 0 || product->batch == 0 || product->result_channels == 0 || product->result_plane == 0) return;
    if (K(is_direct)(product)) {
        K(direct_product)(product, result, source, weights, bias);
        return;
    }
    K(product_job) job = {
        .product = product, .result = result, .source = source, .weights = weights, .bias = bias, .packed = packed,
        .tiles = ck_conv_ceil_div(product->result_channels, TILE_ROWS),
    };
    ck_conv_phase first_phase = ck_conv_phase_at(product, 0);  // no other has more pixels
    K(plan_blocks)(&job, phases, product->batch * first_phase.pixels);
    ck_conv_blocks(job.weight_blocks, K(pack_weights_block), &job);
    ck_conv_blocks(phases * product->groups * job.pixel_blocks * job.row_blocks, K(multiply_block), &job);
}
