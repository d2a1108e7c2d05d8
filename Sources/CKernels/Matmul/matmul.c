#include "ck_matmul.h"

#include "ck_isa.h"
#include "ck_pool.h"
#include "matmul_plan.h"

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
    matmul_packed packed;
    matmul_block step;  // PACKED, NARROW: the rectangle and the k of the step
    int64_t a_units;    // PACKED: the units of packing that belong to A
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

/// The rows (or columns) from `unit` units on, a unit's worth of them within the step.
static void cut(int64_t *start, int64_t *count, int64_t unit, int64_t size) {
    const int64_t end = *start + *count;
    *start += unit * size;
    *count = ck_matmul_min(size, end - *start);
}

static void run_packing(void *context, int64_t unit) {
    const matmul_run *run = context;
    matmul_block block = run->step;
    if (unit < run->a_units) {
        cut(&block.row, &block.rows, unit, run->plan.block_rows);
        run->kernels->pack_a(&run->call, &block, &run->packed);
    } else {
        cut(&block.column, &block.columns, unit - run->a_units, run->plan.block_columns);
        run->kernels->pack_b(&run->call, &block, &run->packed);
    }
}

static void run_packed(void *context, int64_t index) {
    const matmul_run *run = context;
    matmul_block block = run->step;
    const int64_t across = ck_matmul_parts(block.columns, run->plan.block_columns);
    cut(&block.row, &block.rows, index / across, run->plan.block_rows);
    cut(&block.column, &block.columns, index % across, run->plan.block_columns);
    run->kernels->packed_block(&run->call, &block, &run->packed);
}

/// One step: packs its part of A and, the first time, of B; then multiplies them.
static void multiply_step(matmul_run *run, int pack_b) {
    const int64_t row_units = ck_matmul_parts(run->step.rows, run->plan.block_rows);
    const int64_t column_units = ck_matmul_parts(run->step.columns, run->plan.block_columns);
    run->packed.first_row = run->step.row;
    run->packed.first_column = run->step.column;
    run->a_units = run->plan.packs_a ? row_units : 0;
    ck_parallel(run->a_units + (pack_b ? column_units : 0), run_packing, run);
    ck_parallel(row_units * column_units, run_packed, run);
}

static void multiply_packed(matmul_run *run) {
    const ck_matmul *p = &run->call.p;
    const matmul_plan *plan = &run->plan;
    run->packed.b = run->workspace;
    if (plan->packs_a) {
        const int64_t a_bytes = ck_matmul_min(plan->step_rows, p->m) * plan->step_k * run->kernels->element;
        run->packed.a = run->workspace;
        run->packed.b = (char *)run->workspace + (a_bytes + 63) / 64 * 64;
    }
    matmul_block *step = &run->step;
    step->tile_rows = plan->tile_rows;
    for (step->item = 0; step->item < p->batch; step->item++) {
        for (step->column = 0; step->column < p->n; step->column += plan->step_columns) {
            step->columns = ck_matmul_min(plan->step_columns, p->n - step->column);
            for (step->k_start = 0; step->k_start < p->k; step->k_start += plan->step_k) {
                step->k_count = ck_matmul_min(plan->step_k, p->k - step->k_start);
                for (step->row = 0; step->row < p->m; step->row += plan->step_rows) {
                    step->rows = ck_matmul_min(plan->step_rows, p->m - step->row);
                    multiply_step(run, step->row == 0);
                }
            }
        }
    }
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
