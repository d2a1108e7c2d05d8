// What the planner (matmul.c) and the kernels compiled for each instruction set (matmul_block.h) agree on.
#ifndef CK_MATMUL_INTERNAL_H
#define CK_MATMUL_INTERNAL_H

#include "ck_matmul.h"

/// A product with its operands. `p` has been brought into a normal form: see `normalize` in matmul.c.
typedef struct matmul_call {
    ck_matmul p;
    const void *a, *b, *bias;
    void *c;
} matmul_call;

/// A part of the product, the work of one thread: a rectangle of C of one batch item, and a range of k.
typedef struct matmul_block {
    int64_t item, row, rows, column, columns, k_start, k_count;
    int64_t tile_rows;  // the rows of C go in tiles of so many
} matmul_block;

/// The packed halves of a product step: k_count long slices of A and B, in the order in which the kernels read.
/// A panel of A is `tile_rows` rows, k by k; a panel of B is `panel_columns` columns, k by k, padded with zeros.
/// One that is null is read where it stands: B along its rows, A along rows or columns.
typedef struct matmul_packed {
    void *a, *b;
    void *lines;                      // narrow blocks: the last columns of B, each contiguous
    int64_t first_row, first_column;  // where the packed parts begin in A and B
} matmul_packed;

/// The kernels of one element type and instruction set, and the sizes they were made for.
typedef struct matmul_kernels {
    int64_t element;        // bytes
    int64_t lanes;          // elements of a vector
    int64_t tile_rows;      // rows of the largest register tile
    int64_t panel_columns;  // columns of a register tile
    int64_t depth;          // the most k of one step
    /// Multiplies a block straight from A and B.
    void (*direct_block)(const matmul_call *call, const matmul_block *block);
    /// Multiplies a block along k, for A with contiguous rows and B with contiguous columns.
    void (*dot_block)(const matmul_call *call, const matmul_block *block);
    /// Multiplies a block of a few rows (8 at most), for B with contiguous rows, which pass once.
    void (*stream_block)(const matmul_call *call, const matmul_block *block);
    void (*pack_a)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed);
    void (*pack_b)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed);
    /// Multiplies a block (one k step) from the packed halves.
    void (*packed_block)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed);
    /// The same, and after the block's columns all others as dot products of A, which is not packed, and the lines.
    void (*narrow_block)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed);
    /// Adds up `slices` partial products, in order, and finishes C: rows of the block's item.
    void (*combine)(const matmul_call *call, const matmul_block *block, const void *partials, int64_t slices);
    /// For other kernels. to[p * to_width + i] = from[i * across + p * along] for i < width and p < k, zeros up to `to_width`, which is
    /// less than a vector more than `width`.
    void (*pack)(void *to, int64_t to_width, int64_t width, const void *from, int64_t across, int64_t along, int64_t k);
    /// C = alpha A B, or C += alpha A B, for `rows` by `vectors` vectors: up to tile_rows and panel_columns. A lies in rows, `a_step`
    /// apart, or k by k.
    void (*tile)(int64_t rows, int64_t vectors, int by_k, int64_t k, const void *a, int64_t a_step, const void *b,
                 int64_t b_row, void *c, int64_t c_row, double alpha, int accumulate);
} matmul_kernels;

extern const matmul_kernels ck_matmul_baseline_f32, ck_matmul_baseline_f64;
#if defined(__x86_64__)
extern const matmul_kernels ck_matmul_avx2_f32, ck_matmul_avx2_f64;
extern const matmul_kernels ck_matmul_avx512_f32, ck_matmul_avx512_f64;
#endif

/// Whether A can be read where it is, row by row or, when its columns are contiguous, k by k; and not so spaced that what a
/// tile reads falls on the same few lines of a cache (a multiple of 1 KiB apart).
static inline int ck_matmul_reads_a_in_place(const ck_matmul *p, int64_t element) {
    if (p->a_row == 1 && p->a_column != 1) return p->a_column * element % 1024 != 0;
    return p->a_column == 1 && (p->a_row * element % 1024 != 0 || p->m <= 4 || p->n <= 64);
}

#endif
