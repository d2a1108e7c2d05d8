#include "winograd.h"

#include "ck_pool.h"
#include "scratches.h"

// Blocks are cut by these, never by the number of threads.
#define ENOUGH_BLOCKS 16
#define LEAST_CHANNELS 16
#define LEAST_TILES 16
#define LEAST_PART 64             // tiles of a part of the weight gradient
#define TRANSFORM_GRAIN (1 << 16)  // elements of a block that only transforms
#define ADD_GRAIN (1 << 15)

static int64_t min(int64_t x, int64_t y) { return x < y ? x : y; }
static int64_t max(int64_t x, int64_t y) { return x > y ? x : y; }
static int64_t parts_of(int64_t size, int64_t part) { return (size + part - 1) / part; }

static const winograd_kernels *current_kernels(void) { return CK_CURRENT_TABLE(ck_winograd); }

static winograd_side make_side(int64_t channels, const int64_t size[3], int channels_last, int64_t tiles) {
    winograd_side side = {.channels = channels, .height = size[1], .width = size[2]};
    side.pixel = channels_last ? channels : 1;
    side.channel = channels_last ? 1 : side.height * side.width;
    side.padded_channels = parts_of(channels, WINOGRAD_CHANNELS) * WINOGRAD_CHANNELS;
    side.plane = tiles * side.padded_channels + WINOGRAD_PAD;
    return side;
}

static winograd_problem make_problem(const ck_convolution *p, ck_convolution_pass pass) {
    const int backward = pass == CK_CONV_INPUT_GRAD;
    const int64_t *source = backward ? p->output : p->input, *result = backward ? p->input : p->output;
    winograd_problem problem = {
        .images = p->batch, .pad_y = p->padding[1], .pad_x = p->padding[2],
        .tile_rows = parts_of(result[1], 4), .tile_columns = parts_of(result[2], 4),
        .weight_source = 9, .weight_result = p->in_channels * 9, .reversed = backward,
    };
    problem.tiles = p->batch * problem.tile_rows * problem.tile_columns;
    problem.source = make_side(backward ? p->out_channels : p->in_channels, source,
                               backward ? p->y_channels_last : p->x_channels_last, problem.tiles);
    problem.result = make_side(backward ? p->in_channels : p->out_channels, result,
                               backward ? p->x_channels_last : p->y_channels_last, problem.tiles);
    if (backward) {
        problem.pad_y = 2 - p->padding[1];
        problem.pad_x = 2 - p->padding[2];
        problem.weight_source = p->in_channels * 9;
        problem.weight_result = 9;
    }
    return problem;
}

int ck_winograd_serves(const ck_convolution *p, ck_convolution_pass pass) {
    if (p->groups != 1 || p->kernel[0] != 1 || p->padding[0] != 0 || p->stride[0] != 1 || p->input[0] != 1) return 0;
    for (int a = 1; a < 3; a++) {
        if (p->kernel[a] != 3 || p->stride[a] != 1 || p->dilation[a] != 1 || p->padding[a] > 2) return 0;
        if (p->input[a] < 1 || p->output[a] < 1) return 0;
    }
    if (p->in_channels < LEAST_CHANNELS || p->out_channels < LEAST_CHANNELS) return 0;
    const winograd_problem problem = make_problem(p, pass);
    const int64_t results = p->batch * problem.result.height * problem.result.width;
    return problem.tiles >= LEAST_TILES && results * 2 > problem.tiles * 16;
}

// Memory

/// How a pass is cut up.
typedef struct winograd_plan {
    int64_t result_chunks, tile_chunk, tile_chunks;  // the products
    int64_t source_chunks, parts, part_tiles;        // the weight gradient; in one go its parts are of part_rows
    int64_t part_rows;
    int64_t near_rows;                               // rows of tiles that go in one go, or 0
    int64_t blocks, scratches, scratch_elements;
    size_t gradients, sums, scratch, bytes;          // offsets in elements, and all in bytes
} winograd_plan;

/// Few channels: the transformed weights of all fit a near cache, or the products of the weight gradient, and with them some tiles on
/// their whole way. The planes of source and result are those of a block then.
static winograd_plan make_near_plan(winograd_problem *problem, ck_convolution_pass pass) {
    winograd_plan plan = {.result_chunks = parts_of(problem->result.channels, WINOGRAD_RESULTS)};
    const int64_t rows = problem->images * problem->tile_rows;
    plan.near_rows = parts_of(WINOGRAD_NEAR_TILES, problem->tile_columns);
    const int64_t tiles = plan.near_rows * problem->tile_columns;
    problem->source.plane = tiles * problem->source.padded_channels + WINOGRAD_PAD;
    problem->result.plane = tiles * problem->result.padded_channels + WINOGRAD_PAD;
    plan.scratch_elements = problem->source.plane + WINOGRAD_PRODUCT_PLANE;
    if (pass == CK_CONV_WEIGHT_GRAD) {
        const int64_t parts = max(1, min(ENOUGH_BLOCKS, problem->tiles / LEAST_PART));
        plan.part_rows = parts_of(rows, parts);
        plan.blocks = plan.parts = parts_of(rows, plan.part_rows);
        plan.scratch = (size_t)(plan.parts * problem->result.channels * problem->source.channels * 9 + 15) / 16 * 16;
        plan.scratch_elements = problem->source.plane + problem->result.plane + plan.result_chunks * WINOGRAD_PRODUCT_PLANE;
    } else {
        plan.blocks = parts_of(rows, plan.near_rows);
        plan.scratch = (size_t)(plan.result_chunks * WINOGRAD_POINTS * WINOGRAD_WEIGHTS_PLANE);
    }
    plan.scratch_elements *= WINOGRAD_POINTS;
    plan.scratches = min(plan.blocks, CK_MOST_SCRATCHES);
    plan.bytes = (plan.scratch + (size_t)(plan.scratches * plan.scratch_elements)) * sizeof(float);
    return plan;
}

static winograd_plan make_plan(winograd_problem *problem, ck_convolution_pass pass) {
    const int64_t channels = max(problem->source.channels, problem->result.channels);
    if (channels <= WINOGRAD_NEAR_CHANNELS && problem->tile_columns <= WINOGRAD_TILES) return make_near_plan(problem, pass);
    winograd_plan plan = {
        .result_chunks = parts_of(problem->result.channels, WINOGRAD_RESULTS), .scratch_elements = WINOGRAD_SCRATCH,
    };
    size_t elements = (size_t)(WINOGRAD_POINTS * problem->source.plane);
    plan.gradients = plan.sums = elements;
    if (pass == CK_CONV_WEIGHT_GRAD) {
        plan.source_chunks = parts_of(problem->source.channels, WINOGRAD_GRADIENT_SOURCES);
        const int64_t pieces = plan.result_chunks * plan.source_chunks;
        const int64_t parts = max(1, min(ENOUGH_BLOCKS / pieces, problem->tiles / LEAST_PART));
        plan.part_tiles = parts_of(problem->tiles, parts);
        plan.parts = parts_of(problem->tiles, plan.part_tiles);
        plan.blocks = pieces * plan.parts;
        elements += (size_t)(WINOGRAD_POINTS * problem->result.plane);
        plan.sums = elements;
        if (plan.parts > 1) elements += (size_t)(plan.parts * problem->result.channels * problem->source.channels * 9);
        elements = (elements + 15) / 16 * 16;
    } else {
        const int64_t wished = parts_of(problem->tiles, max(1, ENOUGH_BLOCKS / plan.result_chunks));
        plan.tile_chunk = parts_of(wished, WINOGRAD_FEW_TILES) * WINOGRAD_FEW_TILES;
        if (problem->source.channels > WINOGRAD_SOURCES) plan.tile_chunk = min(plan.tile_chunk, WINOGRAD_TILES);
        plan.tile_chunks = parts_of(problem->tiles, plan.tile_chunk);
        plan.blocks = plan.result_chunks * plan.tile_chunks;
    }
    plan.scratch = elements;
    plan.scratches = min(plan.blocks, CK_MOST_SCRATCHES);
    plan.bytes = (elements + (size_t)(plan.scratches * plan.scratch_elements)) * sizeof(float);
    return plan;
}

size_t ck_winograd_workspace(const ck_convolution *p, ck_convolution_pass pass) {
    winograd_problem problem = make_problem(p, pass);
    return make_plan(&problem, pass).bytes;
}

typedef struct winograd_run {
    const winograd_kernels *kernels;
    winograd_problem problem;
    winograd_plan plan;
    const float *source, *weights, *bias, *gradient;
    float *result, *memory;
    int64_t rows_per_block;
    _Atomic unsigned taken;  // scratches in use, a bit each
    _Atomic int overflowed;
} winograd_run;

static float *scratch_at(const winograd_run *run, int64_t scratch) {
    return run->memory + run->plan.scratch + (size_t)(scratch * run->plan.scratch_elements);
}

// Transforms

static void transform_block(void *context, int64_t block) {
    winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    const int64_t rows = problem->images * problem->tile_rows, blocks = parts_of(rows, run->rows_per_block);
    const int64_t first = block % blocks * run->rows_per_block, end = min(first + run->rows_per_block, rows);
    for (int64_t row = first; row < end; row++) {
        const int64_t tile = row * problem->tile_columns;
        if (block < blocks) {
            run->kernels->source(problem, row, run->source, run->memory + tile * problem->source.padded_channels);
        } else {
            float *to = run->memory + run->plan.gradients + tile * problem->result.padded_channels;
            run->kernels->gradient(problem, row, run->gradient, to);
        }
    }
}

static void transform(winograd_run *run) {
    const winograd_problem *problem = &run->problem;
    const int64_t row = problem->tile_columns * WINOGRAD_POINTS * problem->source.padded_channels;
    run->rows_per_block = max(1, TRANSFORM_GRAIN / row);
    const int64_t blocks = parts_of(problem->images * problem->tile_rows, run->rows_per_block);
    ck_parallel(run->gradient ? 2 * blocks : blocks, transform_block, run);
}

// Results

static void result_block(void *context, int64_t block) {
    winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    const winograd_plan *plan = &run->plan;
    const int64_t scratch = ck_take_scratch(&run->taken, run->plan.scratches);
    float *weights = scratch_at(run, scratch), *product = weights + WINOGRAD_POINTS * WINOGRAD_WEIGHTS_PLANE;
    winograd_piece piece = {.result = block / plan->tile_chunks * WINOGRAD_RESULTS};
    piece.results = min(WINOGRAD_RESULTS, problem->result.channels - piece.result);
    const int64_t first = block % plan->tile_chunks * plan->tile_chunk;
    const int64_t end = min(first + plan->tile_chunk, problem->tiles);
    const int64_t sources = problem->source.channels;
    // Either all the source channels pass at once, or all the tiles.
    const int64_t step = sources <= WINOGRAD_SOURCES ? WINOGRAD_FEW_TILES : WINOGRAD_TILES;
    for (piece.source = 0; piece.source < sources; piece.source += WINOGRAD_SOURCES) {
        piece.sources = min(WINOGRAD_SOURCES, sources - piece.source);
        run->kernels->weights(problem, &piece, run->weights, weights);
        for (piece.tile = first; piece.tile < end; piece.tile += step) {
            piece.tiles = min(step, end - piece.tile);
            const float *from = run->memory + piece.tile * problem->source.padded_channels + piece.source;
            run->kernels->multiply(problem, &piece, from, weights, product);
            if (piece.source + piece.sources < sources) continue;
            if (!run->kernels->result(problem, &piece, product, run->bias, run->result)) {
                atomic_store_explicit(&run->overflowed, 1, memory_order_relaxed);
            }
        }
    }
    ck_leave_scratch(&run->taken, scratch);
}

static void near_weights_block(void *context, int64_t chunk) {
    const winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    winograd_piece piece = {.result = chunk * WINOGRAD_RESULTS, .sources = problem->source.channels};
    piece.results = min(WINOGRAD_RESULTS, problem->result.channels - piece.result);
    run->kernels->weights(problem, &piece, run->weights, run->memory + chunk * WINOGRAD_POINTS * WINOGRAD_WEIGHTS_PLANE);
}

/// Some rows of tiles, from source to result.
static void near_block(void *context, int64_t block) {
    winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    const int64_t scratch = ck_take_scratch(&run->taken, run->plan.scratches), columns = problem->tile_columns;
    float *sources = scratch_at(run, scratch), *product = sources + WINOGRAD_POINTS * problem->source.plane;
    const int64_t first = block * run->plan.near_rows;
    const int64_t rows = min(run->plan.near_rows, problem->images * problem->tile_rows - first);
    for (int64_t row = 0; row < rows; row++) {
        float *to = sources + row * columns * problem->source.padded_channels;
        run->kernels->source(problem, first + row, run->source, to);
    }
    for (int64_t chunk = 0; chunk < run->plan.result_chunks; chunk++) {
        winograd_piece piece = {
            .tile = first * columns, .tiles = rows * columns, .result = chunk * WINOGRAD_RESULTS,
            .sources = problem->source.channels,
        };
        piece.results = min(WINOGRAD_RESULTS, problem->result.channels - piece.result);
        const float *weights = run->memory + chunk * WINOGRAD_POINTS * WINOGRAD_WEIGHTS_PLANE;
        run->kernels->multiply(problem, &piece, sources, weights, product);
        if (!run->kernels->result(problem, &piece, product, run->bias, run->result)) {
            atomic_store_explicit(&run->overflowed, 1, memory_order_relaxed);
        }
    }
    ck_leave_scratch(&run->taken, scratch);
}

static int run_products(const ck_convolution *p, ck_convolution_pass pass, float *result, const float *source,
                        const float *weights, const float *bias, int rectified, void *workspace) {
    winograd_run run = {
        .kernels = current_kernels(), .problem = make_problem(p, pass), .source = source, .weights = weights,
        .bias = bias, .result = result, .memory = workspace,
    };
    run.problem.rectified = rectified;
    run.plan = make_plan(&run.problem, pass);
    if (run.plan.near_rows > 0) {
        ck_parallel(run.plan.result_chunks, near_weights_block, &run);
        ck_parallel(run.plan.blocks, near_block, &run);
    } else {
        transform(&run);
        ck_parallel(run.plan.blocks, result_block, &run);
    }
    return !run.overflowed;
}

int ck_winograd_forward(const ck_convolution *p, float *y, const float *x, const float *w, const float *bias,
                        int rectified, void *workspace) {
    return run_products(p, CK_CONV_FORWARD, y, x, w, bias, rectified, workspace);
}

int ck_winograd_input_grad(const ck_convolution *p, float *dx, const float *dy, const float *w, void *workspace) {
    return run_products(p, CK_CONV_INPUT_GRAD, dx, dy, w, 0, 0, workspace);
}

// The weight gradient

static void weight_gradient_block(void *context, int64_t block) {
    winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    const winograd_plan *plan = &run->plan;
    const int64_t source = block % plan->source_chunks, part = block / plan->source_chunks % plan->parts;
    winograd_piece piece = {
        .tile = part * plan->part_tiles, .source = source * WINOGRAD_GRADIENT_SOURCES,
        .result = block / plan->source_chunks / plan->parts * WINOGRAD_RESULTS,
    };
    piece.tiles = min(plan->part_tiles, problem->tiles - piece.tile);
    piece.sources = min(WINOGRAD_GRADIENT_SOURCES, problem->source.channels - piece.source);
    piece.results = min(WINOGRAD_RESULTS, problem->result.channels - piece.result);
    float *dw = run->result;
    if (plan->parts > 1) {
        dw = run->memory + plan->sums + part * problem->result.channels * problem->source.channels * 9;
    }
    const int64_t scratch = ck_take_scratch(&run->taken, run->plan.scratches);
    const float *gradients = run->memory + plan->gradients + piece.tile * problem->result.padded_channels + piece.result;
    const float *sources = run->memory + piece.tile * problem->source.padded_channels + piece.source;
    run->kernels->multiply_gradients(problem, &piece, gradients, sources, scratch_at(run, scratch), 0);
    if (!run->kernels->weight_gradient(problem, &piece, scratch_at(run, scratch), dw)) {
        atomic_store_explicit(&run->overflowed, 1, memory_order_relaxed);
    }
    ck_leave_scratch(&run->taken, scratch);
}

/// The same in one go: some rows of tiles at a time.
static void near_gradient_block(void *context, int64_t part) {
    winograd_run *run = context;
    const winograd_problem *problem = &run->problem;
    const winograd_plan *plan = &run->plan;
    const int64_t scratch = ck_take_scratch(&run->taken, plan->scratches), columns = problem->tile_columns;
    float *sources = scratch_at(run, scratch), *gradients = sources + WINOGRAD_POINTS * problem->source.plane;
    float *products = gradients + WINOGRAD_POINTS * problem->result.plane;
    const int64_t first = part * plan->part_rows, end = min(first + plan->part_rows, problem->images * problem->tile_rows);
    float *dw = run->result;
    if (plan->parts > 1) dw = run->memory + part * problem->result.channels * problem->source.channels * 9;
    for (int64_t start = first; start < end; start += plan->near_rows) {
        const int64_t stop = min(start + plan->near_rows, end);
        for (int64_t row = start; row < stop; row++) {
            const int64_t tile = (row - start) * columns;
            run->kernels->source(problem, row, run->source, sources + tile * problem->source.padded_channels);
            run->kernels->gradient(problem, row, run->gradient, gradients + tile * problem->result.padded_channels);
        }
        for (int64_t chunk = 0; chunk < plan->result_chunks; chunk++) {
            winograd_piece piece = {
                .tiles = (stop - start) * columns, .result = chunk * WINOGRAD_RESULTS, .sources = problem->source.channels,
            };
            piece.results = min(WINOGRAD_RESULTS, problem->result.channels - piece.result);
            float *product = products + chunk * WINOGRAD_POINTS * WINOGRAD_PRODUCT_PLANE;
            run->kernels->multiply_gradients(problem, &piece, gradients + piece.result, sources, product, start > first);
            if (stop == end && !run->kernels->weight_gradient(problem, &piece, product, dw)) {
                atomic_store_explicit(&run->overflowed, 1, memory_order_relaxed);
            }
        }
    }
    ck_leave_scratch(&run->taken, scratch);
}

/// Adds up the parts, in order.
static void add_parts_block(void *context, int64_t block) {
    const winograd_run *run = context;
    const int64_t elements = run->problem.result.channels * run->problem.source.channels * 9;
    const int64_t first = block * ADD_GRAIN, end = min(first + ADD_GRAIN, elements);
    const float *sums = run->memory + run->plan.sums;
    for (int64_t i = first; i < end; i++) {
        float sum = sums[i];
        for (int64_t part = 1; part < run->plan.parts; part++) sum += sums[part * elements + i];
        run->result[i] = sum;
    }
}

int ck_winograd_weight_grad(const ck_convolution *p, float *dw, const float *dy, const float *x, void *workspace) {
    winograd_run run = {
        .kernels = current_kernels(), .problem = make_problem(p, CK_CONV_WEIGHT_GRAD), .source = x, .gradient = dy,
        .result = dw, .memory = workspace,
    };
    run.plan = make_plan(&run.problem, CK_CONV_WEIGHT_GRAD);
    if (run.plan.near_rows > 0) {
        ck_parallel(run.plan.blocks, near_gradient_block, &run);
    } else {
        transform(&run);
        ck_parallel(run.plan.blocks, weight_gradient_block, &run);
    }
    const int64_t elements = run.problem.result.channels * run.problem.source.channels * 9;
    if (run.plan.parts > 1) ck_parallel(parts_of(elements, ADD_GRAIN), add_parts_block, &run);
    return !run.overflowed;
}
