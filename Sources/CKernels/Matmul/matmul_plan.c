#include "matmul_plan.h"

// Normal form

/// Whether the product is large enough to repay packing.
static int use_packing(const ck_matmul *p) {
    return p->m >= 128 && p->n >= 128 && p->k >= 64 && p->m * p->n * p->k >= (int64_t)1 << 24;
}

static void swap(int64_t *x, int64_t *y) {
    const int64_t kept = *x;
    *x = *y;
    *y = kept;
}

/// C transposed = B transposed A transposed.
static void swap_operands(matmul_call *call) {
    ck_matmul *p = &call->p;
    const void *a = call->a;
    call->a = call->b;
    call->b = a;
    swap(&p->m, &p->n);
    swap(&p->a_row, &p->b_column);
    swap(&p->a_column, &p->b_row);
    swap(&p->a_batch, &p->b_batch);
    swap(&p->c_row, &p->c_column);
    swap(&p->bias_row, &p->bias_column);
}

/// A batch that shares B and whose rows follow one another is one tall product; likewise one that shares A.
static void merge_batch(ck_matmul *p) {
    if (p->batch <= 1) return;
    if (p->b_batch == 0 && p->a_batch == p->m * p->a_row && p->c_batch == p->m * p->c_row && p->bias_row == 0) {
        p->m *= p->batch;
        p->batch = 1;
    } else if (p->a_batch == 0 && p->b_batch == p->n * p->b_column && p->c_batch == p->n * p->c_column
               && p->bias_column == 0) {
        p->n *= p->batch;
        p->batch = 1;
    }
}

static int64_t whole_vectors(int64_t size, const matmul_kernels *kernels) {
    return ck_matmul_parts(size, kernels->lanes) * kernels->lanes;
}

// Multiplications, and what memory traffic costs in them: the least that is worth another thread's while.
#define GRAIN (1 << 20)
// The same where that thread is awake.
#define SMALL_GRAIN (1 << 16)
#define COST_OF_ELEMENT 4

static double cost(const ck_matmul *p) {
    const double m = (double)p->m, n = (double)p->n, k = (double)p->k;
    return m * n * k + COST_OF_ELEMENT * (m * k + k * n + m * n);
}

// What it costs to transpose an element of C, in multiplications.
#define COST_OF_TURNING 24
#define COST_OF_PACKING 8
// Rows up to which dot products of contiguous operands are best.
#define DOT_LINES 16

void ck_matmul_normalize(matmul_call *call, const matmul_kernels *kernels) {
    ck_matmul *p = &call->p;
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return;
    merge_batch(p);
    if (p->k <= 0) {
        // Nothing is read of A and B, nor does an infinite alpha make a NaN of an empty sum.
        p->k = 0;
        p->alpha = 0;
        p->a_row = p->a_column = p->a_batch = p->b_row = p->b_column = p->b_batch = 0;
        call->a = call->b = call->c;
    }
    if (p->k == 1) p->a_column = 1;
    if (p->n == 1) p->b_column = p->c_column = 1;
    const int columns_first = p->c_column != 1 && p->c_row == 1;
    // Few columns leave much of their vectors empty. When A's columns are contiguous its rows can fill them instead.
    const int a_stands = p->a_row == 1 && p->a_column != 1, b_stands = p->b_row == 1 && p->b_column != 1;
    const int may_swap = a_stands && p->k >= 32 && !use_packing(p);
    const int64_t filled = (whole_vectors(p->n, kernels) * p->m - whole_vectors(p->m, kernels) * p->n) * p->k;
    const int64_t turning = COST_OF_TURNING * p->m * p->n;
    const int narrow = may_swap && p->m >= 4 * p->n && filled > turning;
    // Where neither operand can be read in place both can be once swapped, for the price of transposing C.
    const int both_stand = may_swap && b_stands;
    // Where both have contiguous rows along k the larger one can be read in place, and the smaller one packed.
    const int both_lie = p->a_column == 1 && p->b_row == 1 && p->m > DOT_LINES && cost(p) >= 2 * GRAIN && !use_packing(p);
    const int wide = both_lie && p->n > p->m && filled + COST_OF_PACKING * (p->n - p->m) * p->k > turning;
    if (p->m > 1 && (p->n == 1 || columns_first || narrow || both_stand || wide)) swap_operands(call);
    if (p->m == 1) {
        p->a_row = p->k > 0 ? p->k : 1;
        p->c_row = p->n;
    }
    if (p->n == 1) p->b_column = p->c_column = 1;
}

// Plans

#define MOST_SLICES 16
// Items of a batch that are less than such a part of GRAIN share a block.
#define LEAST_BLOCK 64
// Rows of A that repay it to pack a B that could be read in place.
#define PACKING_ROWS 256
#define LEAST_SLICE 1024
#define FEW_LINES 8
// A matrix B that streams past instead of going by panels: what no longer fits near caches, or any cache of one core.
#define NEAR_BYTES (1 << 18)
#define FAR_BYTES (1 << 23)
#define STREAMED_COLUMN_BYTES 4096

static int use_dot(const ck_matmul *p, const matmul_kernels *kernels) {
    if (p->k < 2 * kernels->lanes) return 0;
    const int a_along = p->a_column == 1, b_along = p->b_row == 1;
    if (!a_along && !(p->m <= FEW_LINES && b_along)) return 0;
    if (!b_along && !(p->n <= FEW_LINES && a_along)) return 0;
    // Sums of short rows repay their ends where vectors are loaded in part.
    const int64_t vectors = p->m == 1 && kernels->lanes >= 8 ? 2 : 4;
    if (b_along && p->b_column != 1 && p->m <= DOT_LINES && p->k >= vectors * kernels->lanes) return 1;
    return p->n * 2 <= kernels->lanes && p->n <= FEW_LINES && p->k >= 4 * kernels->lanes;
}

static int use_stream(const ck_matmul *p, const matmul_kernels *kernels) {
    if (p->b_column != 1 || p->n < (p->m == 1 ? kernels->panel_columns : 2 * kernels->panel_columns)) return 0;
    const int64_t bytes = p->k * p->n * kernels->element;
    return p->m == 1 || (p->m <= FEW_LINES && bytes >= (p->m <= FEW_LINES / 2 ? NEAR_BYTES : FAR_BYTES));
}

/// Columns at the end that are better computed as dot products, where a vector would hold hardly any.
static int64_t columns_apart(const ck_matmul *p, const matmul_kernels *kernels) {
    const int64_t rest = p->n % kernels->lanes;
    return rest * 4 <= kernels->lanes && p->n > kernels->lanes && p->n < 16 * kernels->lanes ? rest : 0;
}

/// Whether B has to be packed, and direct blocks would do it again and again, or pack an A that lies in rows as well.
static int use_narrow(const ck_matmul *p, const matmul_kernels *kernels) {
    if (p->a_column != 1 || p->k < 4 * kernels->lanes || p->m <= DOT_LINES) return 0;
    const int64_t vectors = p->n / kernels->lanes;
    if (p->b_column == 1 && p->n % kernels->lanes == 0 && (vectors == 1 || vectors % 2 == 0)) return 0;
    if (p->batch > 1 && cost(p) * LEAST_BLOCK < GRAIN) return 0;
    if (columns_apart(p, kernels) > 0) return 1;
    if (p->b_column == 1 && p->n > p->m) return 0;
    if (!ck_matmul_reads_a_in_place(p, kernels->element)) return 1;
    return cost(p) >= 2 * GRAIN && cost(p) / GRAIN > (double)ck_matmul_parts(p->n, kernels->panel_columns);
}

/// Cuts one item's C into about `parts` blocks: along the side that needs no packing twice, else the longer one.
static void cut_item(matmul_plan *plan, const ck_matmul *p, const matmul_kernels *kernels, double parts) {
    const int64_t tiles = ck_matmul_parts(p->m, plan->tile_rows);
    const int64_t panels = ck_matmul_parts(p->n, kernels->panel_columns);
    int64_t row_cuts = 1, column_cuts = 1;
    while ((double)(row_cuts * column_cuts) < parts) {
        const int rows_left = row_cuts * 2 <= tiles, columns_left = column_cuts * 2 <= panels;
        if (!rows_left && !columns_left) break;
        const int b_packs = plan->way == MATMUL_DIRECT && p->b_column != 1;
        const int a_packs = plan->way == MATMUL_DIRECT && !ck_matmul_reads_a_in_place(p, kernels->element);
        int rows = p->m / row_cuts >= p->n / column_cuts;
        if (a_packs != b_packs) rows = a_packs;
        if (rows ? rows_left : !columns_left) {
            row_cuts *= 2;
        } else {
            column_cuts *= 2;
        }
    }
    plan->block_rows = ck_matmul_parts(tiles, row_cuts) * plan->tile_rows;
    plan->block_columns = ck_matmul_parts(panels, column_cuts) * kernels->panel_columns;
}

static void cut_k(matmul_plan *plan, const ck_matmul *p, int64_t slices) {
    plan->slice_k = ck_matmul_parts(p->k, slices);
    plan->slices = ck_matmul_parts(p->k, plan->slice_k);
}

/// Long pieces of the rows of B, and then parts of k, so that memory is read in long runs.
static void cut_stream(matmul_plan *plan, const ck_matmul *p, const matmul_kernels *kernels, double parts) {
    const int64_t run = STREAMED_COLUMN_BYTES / kernels->element, runs = ck_matmul_parts(p->n, run);
    const int64_t wished = parts < 4 * MOST_SLICES ? (int64_t)parts : 4 * MOST_SLICES;
    plan->block_columns = ck_matmul_parts(runs, ck_matmul_min(runs, wished > 0 ? wished : 1)) * run;
    const int64_t cuts = ck_matmul_parts(p->n, plan->block_columns);
    const int64_t slices = ck_matmul_min(ck_matmul_min(wished / cuts, MOST_SLICES), p->k / 128);
    if (slices > 1 && p->batch < MOST_SLICES) cut_k(plan, p, slices);
}

// A PACKED step is cut into enough blocks for threads to share, of so many tiles and panels at most: what is packed of
// their rows stays in the second cache.
#define ENOUGH_BLOCKS 16
#define FEW_COLUMNS 512
#define MOST_OF_LINE 48
// The rows of a tile that reads them where they lie: some KB apart they share a few lines of the nearest cache, which has 8 or 12 of each.
#define LYING_ROWS 10
#define PAGE 4096

/// `size` in equal parts of `most` at most.
static int64_t even_part(int64_t size, int64_t most) {
    return ck_matmul_parts(size, ck_matmul_parts(size, most));
}

/// Packing A repays where tiles of many columns read it, unless its rows are so spaced that they don't meet in the same lines of a cache.
/// A tile that reads along columns must take most of a line at each k.
static int reads_a_in_place(const ck_matmul *p, const matmul_kernels *kernels) {
    if (p->a_column == 1) return p->n <= FEW_COLUMNS || p->a_row * kernels->element % PAGE != 0;
    return p->n <= 2 * FEW_COLUMNS && p->a_row == 1 && kernels->tile_rows * kernels->element >= MOST_OF_LINE;
}

/// Tiles of nearly the same height: a low one at the end would be slow.
static int64_t even_tiles(const ck_matmul *p, int64_t most) { return ck_matmul_parts(p->m, ck_matmul_parts(p->m, most)); }

static void plan_packed(matmul_plan *plan, const ck_matmul *p, const matmul_kernels *kernels) {
    plan->packs_a = !reads_a_in_place(p, kernels);
    if (!plan->packs_a && p->a_column == 1) plan->tile_rows = even_tiles(p, ck_matmul_min(kernels->tile_rows, LYING_ROWS));
    plan->step_k = even_part(p->k, kernels->depth);
    const int64_t step_tiles = even_part(ck_matmul_parts(p->m, plan->tile_rows), MATMUL_STEP_TILES);
    const int64_t step_panels = even_part(ck_matmul_parts(p->n, kernels->panel_columns), MATMUL_STEP_PANELS);
    int64_t tiles = even_part(step_tiles, MATMUL_BLOCK_SIDE), panels = even_part(step_panels, MATMUL_BLOCK_SIDE);
    while (ck_matmul_parts(step_tiles, tiles) * ck_matmul_parts(step_panels, panels) < ENOUGH_BLOCKS) {
        if (tiles > panels) {
            tiles = (tiles + 1) / 2;
        } else {
            panels = (panels + 1) / 2;
        }
        if (tiles * panels <= MATMUL_BLOCK_SIDE) break;
    }
    plan->block_rows = even_part(step_tiles, tiles) * plan->tile_rows;
    plan->block_columns = even_part(step_panels, panels) * kernels->panel_columns;
    plan->step_rows = step_tiles * plan->tile_rows;
    plan->step_columns = step_panels * kernels->panel_columns;
    const int64_t columns = ck_matmul_min(plan->step_columns, whole_vectors(p->n, kernels));
    const int64_t rows = plan->packs_a ? ck_matmul_min(plan->step_rows, p->m) : 0;
    plan->a_bytes = (rows * plan->step_k * kernels->element + 63) / 64 * 64;
    plan->b_bytes = (columns * plan->step_k * kernels->element + 63) / 64 * 64;
    const int one_step = p->batch == 1 && p->m <= plan->step_rows && p->n <= plan->step_columns && p->k <= plan->step_k;
    plan->packed_turns = one_step ? 1 : 2;
    plan->workspace = (size_t)(plan->packed_turns * (plan->a_bytes + plan->b_bytes));
}

static void plan_narrow(matmul_plan *plan, const ck_matmul *p, const matmul_kernels *kernels) {
    plan->apart = columns_apart(p, kernels);
    plan->step_k = even_part(p->k, 2 * kernels->depth);
    const double parts = 2 * cost(p) / GRAIN;  // the last blocks should not leave threads idle for long
    const int64_t tiles = ck_matmul_parts(p->m, plan->tile_rows), cuts = parts < 1 ? 1 : (int64_t)parts;
    plan->block_rows = ck_matmul_parts(tiles, ck_matmul_min(tiles, cuts)) * plan->tile_rows;
    plan->row_blocks = ck_matmul_parts(p->m, plan->block_rows);
    plan->items = ck_matmul_min(p->batch, ck_matmul_parts(ENOUGH_BLOCKS, plan->row_blocks));
    const int stands = p->b_column == 1 && p->m < PACKING_ROWS && (p->n - plan->apart) % kernels->lanes == 0;
    const int64_t columns = whole_vectors(p->n - plan->apart, kernels), panels = columns / kernels->panel_columns;
    plan->panels = stands ? 0 : panels > 0 ? panels : 1;
    plan->item_bytes = (((stands ? 0 : columns) + plan->apart) * plan->step_k * kernels->element + 63) / 64 * 64;
    plan->workspace = (size_t)(plan->items * plan->item_bytes);
}

/// Everything in blocks of about GRAIN: several items each, or parts of one.
static void plan_blocks(matmul_plan *plan, const ck_matmul *p, const matmul_kernels *kernels) {
    plan->block_rows = p->m;
    plan->block_columns = p->n;
    plan->items = p->batch;
    plan->slices = 1;
    plan->slice_k = p->k;
    const double item_cost = cost(p);
    double parts = item_cost / GRAIN;
    if (item_cost * (double)p->batch >= 2 * GRAIN) {
        plan->items = parts < 1 ? (int64_t)(1 / parts) : 1;
        const int long_sums = p->k >= 2 * LEAST_SLICE && p->k >= 8 * p->m && p->k >= 8 * p->n;
        if (plan->way == MATMUL_STREAM) {
            cut_stream(plan, p, kernels, parts);
        } else {
            if (parts >= 2 && long_sums && p->batch < MOST_SLICES) {
                cut_k(plan, p, ck_matmul_min(ck_matmul_min(p->k / LEAST_SLICE, MOST_SLICES), (int64_t)parts));
                parts /= (double)plan->slices;
            }
            cut_item(plan, p, kernels, parts);
        }
    } else if (p->batch == 1 && item_cost >= 2 * SMALL_GRAIN && plan->way != MATMUL_STREAM) {
        plan->small = 1;
        cut_item(plan, p, kernels, item_cost / SMALL_GRAIN);
    }
    plan->row_blocks = ck_matmul_parts(p->m, plan->block_rows);
    plan->column_blocks = ck_matmul_parts(p->n, plan->block_columns);
    plan->item_groups = ck_matmul_parts(p->batch, plan->items);
    if (plan->slices > 1) plan->workspace = (size_t)(plan->slices * p->batch * p->m * p->n * kernels->element);
}

matmul_plan ck_matmul_make_plan(const ck_matmul *p, const matmul_kernels *kernels) {
    matmul_plan plan = {.way = MATMUL_DIRECT};
    if (use_dot(p, kernels)) {
        plan.way = MATMUL_DOT;
    } else if (use_stream(p, kernels)) {
        plan.way = MATMUL_STREAM;
    } else if (use_packing(p)) {
        plan.way = MATMUL_PACKED;
    } else if (use_narrow(p, kernels)) {
        plan.way = MATMUL_NARROW;
    }
    plan.tile_rows = even_tiles(p, kernels->tile_rows);
    if (plan.way == MATMUL_PACKED) {
        plan_packed(&plan, p, kernels);
    } else if (plan.way == MATMUL_NARROW) {
        plan_narrow(&plan, p, kernels);
    } else {
        plan_blocks(&plan, p, kernels);
    }
    return plan;
}
