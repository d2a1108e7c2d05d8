// How a product is cut up. All of it follows from the sizes and strides, and nothing from the number of threads.
#ifndef CK_MATMUL_PLAN_H
#define CK_MATMUL_PLAN_H

#include <stddef.h>

#include "matmul_internal.h"

typedef enum matmul_way {
    MATMUL_DIRECT,  // tiles straight from A and B
    MATMUL_DOT,     // along k, for products with few rows or few columns
    MATMUL_STREAM,  // along the rows of B, for products with hardly any rows
    MATMUL_PACKED,  // both packed first: large products
    MATMUL_NARROW,  // B, of few columns, packed first; the rows of A where they stand
} matmul_way;

// The tiles and panels of a PACKED step and of a block, at most.
#define MATMUL_STEP_TILES 160
#define MATMUL_STEP_PANELS 64
#define MATMUL_BLOCK_SIDE 8
#define MATMUL_MOST_BLOCKS (MATMUL_STEP_TILES / MATMUL_BLOCK_SIDE * (MATMUL_STEP_PANELS / MATMUL_BLOCK_SIDE))

typedef struct matmul_plan {
    matmul_way way;
    int64_t tile_rows;
    int64_t block_rows, block_columns;  // what a thread multiplies at a time
    // All but PACKED: the blocks, `items` of the batch each, in `slices` of k that are added up afterwards.
    int64_t row_blocks, column_blocks, items, item_groups, slices, slice_k;
    int small;  // blocks for threads that are awake
    // PACKED: the steps, each of which is packed and multiplied in parallel, in blocks.
    int64_t step_rows, step_columns, step_k;
    int packs_a;
    int64_t packed_turns, a_bytes, b_bytes;  // the steps that are packed at a time, and what one takes
    // NARROW, with block_rows, row_blocks, items and step_k: the panels of B to be packed, the columns at the end that go as dot
    // products, and the bytes of both for an item.
    int64_t panels, apart, item_bytes;
    size_t workspace;
} matmul_plan;

/// Brings a product into the form the planner and the kernels expect: as few batch items as there can be, the strides
/// of axes of one element of no account, and C's contiguous axis along the columns. Swaps A and B when that helps.
void ck_matmul_normalize(matmul_call *call, const matmul_kernels *kernels);
matmul_plan ck_matmul_make_plan(const ck_matmul *p, const matmul_kernels *kernels);

static inline int64_t ck_matmul_parts(int64_t size, int64_t part) { return (size + part - 1) / part; }
static inline int64_t ck_matmul_min(int64_t x, int64_t y) { return x < y ? x : y; }

#endif
