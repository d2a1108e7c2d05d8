#include "ck_matmul.h"

#include <assert.h>

#include "ck_isa.h"
#include "ck_pool.h"
#include "matmul_plan.h"
#include "waiting.h"

static const matmul_kernels *kernels_for(ck_isa isa, size_t element) {
#if defined(__x86_64__)
    if (isa == CK_ISA_AVX512) return element == sizeof(float) ? &ck_matmul_avx512_f32 : &ck_matmul_avx512_f64;
    if (isa == CK_ISA_AVX2) return element == sizeof(float) ? &ck_matmul_avx2_f32 : &ck_matmul_avx2_f64;
#endif
    (void)isa;
    return element == sizeof(float) ? &ck_matmul_baseline_f32 : &ck_matmul_baseline_f64;
}

/// A product under way, as the blocks see it.
typedef struct matmul_run {
    const matmul_kernels *kernels;
    matmul_plan plan;
    matmul_call call;          // of the blocks: writes C, or the slices' partial products
    const matmul_call *whole;  // of the caller
    void *workspace;
    matmul_block step;  // NARROW: the rectangle and the k of the step
    int64_t b_units;    // NARROW: the units of packing of an item
} matmul_run;

// In blocks

/// Blocks count the column blocks of the row blocks of the groups of items of the slices.
static void run_block(void *context, int64_t index) {
    const matmul_run *run = context;
    const matmul_plan *plan = &run->plan;
    const ck_matmul *p = &run->call.p;
    const int64_t column = index % plan->column_blocks * plan->block_columns;
    index /= plan->column_blocks;
    const int64_t row = index % plan->row_blocks * plan->block_rows;
    index /= plan->row_blocks;
    const int64_t first_item = index % plan->item_groups * plan->items, slice = index / plan->item_groups;
    matmul_block block = {.row = row, .column = column, .tile_rows = plan->tile_rows, .k_start = slice * plan->slice_k};
    block.rows = ck_matmul_min(plan->block_rows, p->m - row);
    block.columns = ck_matmul_min(plan->block_columns, p->n - column);
    block.k_count = ck_matmul_min(plan->slice_k, p->k - block.k_start);
    matmul_call call = run->call;
    if (plan->slices > 1) {
        call.c = (char *)run->workspace + slice * p->batch * p->m * p->n * run->kernels->element;
    }
    void (*block_kernel)(const matmul_call *, const matmul_block *) = run->kernels->direct_block;
    if (plan->way == MATMUL_DOT) block_kernel = run->kernels->dot_block;
    if (plan->way == MATMUL_STREAM) block_kernel = run->kernels->stream_block;
    const int64_t last_item = ck_matmul_min(first_item + plan->items, p->batch);
    for (block.item = first_item; block.item < last_item; block.item++) {
        block_kernel(&call, &block);
    }
}

#define COMBINED_ROWS 16

static void run_combine(void *context, int64_t index) {
    const matmul_run *run = context;
    const ck_matmul *p = &run->whole->p;
    const int64_t groups = ck_matmul_parts(p->m, COMBINED_ROWS);
    matmul_block block = {.item = index / groups, .row = index % groups * COMBINED_ROWS, .columns = p->n};
    block.rows = ck_matmul_min(COMBINED_ROWS, p->m - block.row);
    run->kernels->combine(run->whole, &block, run->workspace, run->plan.slices);
}

static void multiply_in_blocks(matmul_run *run) {
    const matmul_plan *plan = &run->plan;
    const ck_matmul *whole = &run->whole->p;
    if (plan->slices > 1) {
        ck_matmul *p = &run->call.p;
        p->c_column = 1;
        p->c_row = p->n;
        p->c_batch = p->m * p->n;
        p->alpha = 1;
        p->beta = 0;
        p->activation = CK_IDENTITY;
        run->call.bias = NULL;
    }
    const int64_t blocks = plan->slices * plan->item_groups * plan->row_blocks * plan->column_blocks;
    (plan->small ? ck_parallel_awake : ck_parallel)(blocks, run_block, run);
    if (plan->slices > 1) ck_parallel(whole->batch * ck_matmul_parts(whole->m, COMBINED_ROWS), run_combine, run);
}

// Packed

/// The rows (or columns) from `unit` units on, a unit's worth of them within the step. Answers whether there are any.
static int cut(int64_t *start, int64_t *count, int64_t unit, int64_t size) {
    const int64_t end = *start + *count;
    *start += unit * size;
    *count = ck_matmul_min(size, end - *start);
    return *count > 0;
}

/// A PACKED product is one job. Threads take all of it from one sequence in which nothing waits for what comes later: the packing of the first
/// step, then the blocks of each step with the packing of the next among them.
typedef struct packed_run {
    const matmul_run *run;
    int64_t row_steps, column_steps, depth_steps, steps;
    int64_t a_units, b_units, row_blocks, column_blocks;  // of a step, where the last ones may be empty
    // What is done: units of the even and of the odd steps, steps of each block.
    _Atomic int64_t packed[2], multiplied[MATMUL_MOST_BLOCKS];
} packed_run;

/// The last blocks of all go in parts, so that threads end together.
#define LAST_BLOCKS 2
#define LAST_PARTS 4

/// The step of a number (steps count the rows of the depths of the columns of the items), and where it is packed.
static matmul_block packed_step(const packed_run *packing, int64_t number, matmul_packed *packed) {
    const matmul_run *run = packing->run;
    const ck_matmul *p = &run->call.p;
    const matmul_plan *plan = &run->plan;
    char *const a = run->workspace, *const b = a + plan->packed_turns * plan->a_bytes;
    *packed = (matmul_packed){.a = plan->packs_a ? a + number % plan->packed_turns * plan->a_bytes : 0};
    matmul_block step = {.tile_rows = plan->tile_rows, .row = number % packing->row_steps * plan->step_rows};
    number /= packing->row_steps;
    packed->b = b + number % plan->packed_turns * plan->b_bytes;
    step.k_start = number % packing->depth_steps * plan->step_k;
    number /= packing->depth_steps;
    step.column = number % packing->column_steps * plan->step_columns;
    step.item = number / packing->column_steps;
    step.rows = ck_matmul_min(plan->step_rows, p->m - step.row);
    step.columns = ck_matmul_min(plan->step_columns, p->n - step.column);
    step.k_count = ck_matmul_min(plan->step_k, p->k - step.k_start);
    packed->first_row = step.row;
    packed->first_column = step.column;
    return step;
}

/// Packs a unit of a step, once nobody reads what has been there, which is from two steps before.
static void pack_unit(packed_run *packing, int64_t number, int64_t unit) {
    const matmul_run *run = packing->run;
    matmul_packed packed;
    matmul_block block = packed_step(packing, number, &packed);
    for (int64_t i = 0; i < packing->row_blocks * packing->column_blocks; i++) {
        ck_wait_for(&packing->multiplied[i], number - 1);
    }
    if (unit < packing->a_units) {
        if (cut(&block.row, &block.rows, unit, run->plan.block_rows)) run->kernels->pack_a(&run->call, &block, &packed);
    } else if (block.row == 0 && cut(&block.column, &block.columns, unit - packing->a_units, run->plan.block_columns)) {
        run->kernels->pack_b(&run->call, &block, &packed);
    }
    atomic_fetch_add(&packing->packed[number % 2], 1);
}

/// Multiplies a part of a block of a step, once the step is packed and the block done in the step before.
static void multiply_part(packed_run *packing, int64_t number, int64_t index, int64_t part, int64_t parts) {
    const matmul_plan *plan = &packing->run->plan;
    matmul_packed packed;
    matmul_block block = packed_step(packing, number, &packed);
    ck_wait_for(&packing->packed[number % 2], (number / 2 + 1) * (packing->a_units + packing->b_units));
    ck_wait_for(&packing->multiplied[index], number);
    const int64_t part_rows = ck_matmul_parts(plan->block_rows / plan->tile_rows, parts) * plan->tile_rows;
    if (cut(&block.row, &block.rows, index / packing->column_blocks, plan->block_rows)
        && cut(&block.row, &block.rows, part, part_rows)
        && cut(&block.column, &block.columns, index % packing->column_blocks, plan->block_columns)) {
        packing->run->kernels->packed_block(&packing->run->call, &block, &packed);
    }
    if (number + 1 < packing->steps) atomic_store(&packing->multiplied[index], number + 1);
}

static void run_packed(void *context, int64_t index) {
    packed_run *packing = context;
    const int64_t units = packing->a_units + packing->b_units, blocks = packing->row_blocks * packing->column_blocks;
    if (index < units) {
        pack_unit(packing, 0, index);
        return;
    }
    const int64_t last = packing->steps - 1, number = ck_matmul_min((index - units) / (blocks + units), last);
    index -= units + number * (blocks + units);
    const int64_t early = number < last ? blocks * 3 / 4 : blocks - LAST_BLOCKS;
    if (index < early) {
        multiply_part(packing, number, index, 0, 1);
    } else if (number == last) {
        index -= early;
        multiply_part(packing, number, early + index / LAST_PARTS, index % LAST_PARTS, LAST_PARTS);
    } else if (index < early + units) {
        pack_unit(packing, number + 1, index - early);
    } else {
        multiply_part(packing, number, index - units, 0, 1);
    }
}

static void multiply_packed(const matmul_run *run) {
    const ck_matmul *p = &run->call.p;
    const matmul_plan *plan = &run->plan;
    packed_run packing = {.run = run};
    packing.row_steps = ck_matmul_parts(p->m, plan->step_rows);
    packing.column_steps = ck_matmul_parts(p->n, plan->step_columns);
    packing.depth_steps = ck_matmul_parts(p->k, plan->step_k);
    packing.steps = p->batch * packing.row_steps * packing.column_steps * packing.depth_steps;
    packing.row_blocks = ck_matmul_parts(ck_matmul_min(plan->step_rows, p->m), plan->block_rows);
    packing.column_blocks = ck_matmul_parts(ck_matmul_min(plan->step_columns, p->n), plan->block_columns);
    packing.a_units = plan->packs_a ? packing.row_blocks : 0;
    packing.b_units = packing.column_blocks;
    const int64_t blocks = packing.row_blocks * packing.column_blocks;
    assert(blocks >= LAST_BLOCKS && blocks <= MATMUL_MOST_BLOCKS);
    const int64_t in_step = packing.a_units + packing.b_units + blocks;
    ck_parallel(packing.steps * in_step + LAST_BLOCKS * (LAST_PARTS - 1), run_packed, &packing);
}

// Narrow

/// An item of the step, and the packed B of it: its panels unless they stay where they stand, then the columns apart.
static matmul_block narrow_item(const matmul_run *run, int64_t item, matmul_packed *packed) {
    matmul_block block = run->step;
    block.item += item;
    char *at = (char *)run->workspace + item * run->plan.item_bytes;
    *packed = (matmul_packed){.b = run->plan.panels > 0 ? at : 0};
    packed->lines = run->plan.panels > 0 ? at + block.columns * block.k_count * run->kernels->element : at;
    return block;
}

static void run_narrow_packing(void *context, int64_t index) {
    const matmul_run *run = context;
    const ck_matmul *p = &run->call.p;
    const matmul_kernels *kernels = run->kernels;
    const int64_t unit = index % run->b_units;
    matmul_packed packed;
    matmul_block block = narrow_item(run, index / run->b_units, &packed);
    // The last panel may have three vectors.
    const int panel = unit < run->plan.panels;
    const int64_t first = panel ? unit * kernels->panel_columns : block.columns;
    const int64_t columns = unit + 1 < run->plan.panels ? kernels->panel_columns : (panel ? block.columns : p->n) - first;
    const int64_t from = block.item * p->b_batch + block.k_start * p->b_row + first * p->b_column;
    const char *b = (const char *)run->call.b + from * kernels->element;
    if (panel) {
        char *to = (char *)packed.b + first * block.k_count * kernels->element;
        const int64_t width = ck_matmul_parts(columns, kernels->lanes) * kernels->lanes;
        kernels->pack(to, width, columns, b, p->b_column, p->b_row, block.k_count);
    } else {
        kernels->pack(packed.lines, block.k_count, block.k_count, b, p->b_row, p->b_column, columns);
    }
}

static void run_narrow(void *context, int64_t index) {
    const matmul_run *run = context;
    matmul_packed packed;
    matmul_block block = narrow_item(run, index / run->plan.row_blocks, &packed);
    cut(&block.row, &block.rows, index % run->plan.row_blocks, run->plan.block_rows);
    run->kernels->narrow_block(&run->call, &block, &packed);
}

static void multiply_narrow(matmul_run *run) {
    const ck_matmul *p = &run->call.p;
    const matmul_plan *plan = &run->plan;
    matmul_block *step = &run->step;
    *step = (matmul_block){.rows = p->m, .columns = p->n - plan->apart, .tile_rows = plan->tile_rows};
    run->b_units = plan->panels + (plan->apart > 0);
    for (step->item = 0; step->item < p->batch; step->item += plan->items) {
        const int64_t items = ck_matmul_min(plan->items, p->batch - step->item), blocks = items * plan->row_blocks;
        for (step->k_start = 0; step->k_start < p->k; step->k_start += plan->step_k) {
            step->k_count = ck_matmul_min(plan->step_k, p->k - step->k_start);
            for (int64_t unit = 0; unit < run->b_units && blocks == 1; unit++) run_narrow_packing(run, unit);
            if (blocks > 1) ck_parallel(items * run->b_units, run_narrow_packing, run);
            ck_parallel(blocks, run_narrow, run);
        }
    }
}

// Entry points

static void multiply(const ck_matmul *p, size_t element, const void *a, const void *b, void *c, const void *bias,
                     void *workspace) {
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return;
    const matmul_kernels *kernels = kernels_for(ck_isa_current(), element);
    matmul_call call = {.p = *p, .a = a, .b = b, .bias = bias, .c = c};
    ck_matmul_normalize(&call, kernels);
    matmul_run run = {.kernels = kernels, .call = call, .whole = &call, .workspace = workspace};
    run.plan = ck_matmul_make_plan(&call.p, kernels);
    if (run.plan.way == MATMUL_PACKED) {
        multiply_packed(&run);
    } else if (run.plan.way == MATMUL_NARROW) {
        multiply_narrow(&run);
    } else {
        multiply_in_blocks(&run);
    }
}

/// What any instruction set of this machine needs: which one is in use may change between this and the product.
static size_t workspace_bytes(const ck_matmul *p, size_t element) {
    if (p->m <= 0 || p->n <= 0 || p->batch <= 0) return 0;
    size_t most = 0;
    for (int isa = (int)CK_ISA_BASELINE; isa <= (int)ck_isa_detected(); isa++) {
        const matmul_kernels *kernels = kernels_for((ck_isa)isa, element);
        matmul_call call = {.p = *p};
        ck_matmul_normalize(&call, kernels);
        const size_t bytes = ck_matmul_make_plan(&call.p, kernels).workspace;
        if (bytes > most) most = bytes;
    }
    return most;
}

size_t ck_matmul_workspace_f32(const ck_matmul *p) { return workspace_bytes(p, sizeof(float)); }
size_t ck_matmul_workspace_f64(const ck_matmul *p) { return workspace_bytes(p, sizeof(double)); }

void ck_matmul_f32(const ck_matmul *p, const float *a, const float *b, float *c, const float *bias, void *workspace) {
    multiply(p, sizeof(float), a, b, c, bias, workspace);
}

void ck_matmul_f64(const ck_matmul *p, const double *a, const double *b, double *c, const double *bias,
                   void *workspace) {
    multiply(p, sizeof(double), a, b, c, bias, workspace);
}
