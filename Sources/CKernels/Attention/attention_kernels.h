/// What attention needs of one instruction set. Index 0 is float, 1 double.
#ifndef CK_ATTENTION_KERNELS_H
#define CK_ATTENTION_KERNELS_H

#include "ck_attention.h"
#include "isa_tables.h"
#include "matmul_internal.h"

/// Keys that go together. Rows of scores are a little farther apart, lest those above each other share lines of a cache.
#define ATTENTION_KEYS 128
#define ATTENTION_STRIDE (ATTENTION_KEYS + 16)
/// The queries that go together: so many tiles, of the largest height of any instruction set.
#define ATTENTION_TILES 5
#define ATTENTION_ROWS (ATTENTION_TILES * 14)
/// No vector pair is longer, in bytes: what rows of products are padded to.
#define ATTENTION_PANEL_BYTES 128

/// Part of one item: queries first..<end forward, keys first..<end backward.
typedef struct ck_attention_task {
    const ck_attention *p;
    const matmul_kernels *product;
    int64_t item, first, end;
    void *scratch;
    void *dq;  // backward: (queries, padded width) for the part of dq that comes from these keys
} ck_attention_task;

typedef struct ck_attention_kernels {
    const matmul_kernels *product[2];
    void (*forward[2])(const ck_attention_task *task);
    void (*backward[2])(const ck_attention_task *task);
    /// dq of one item from `parts` partial sums, `distance` elements apart.
    void (*add_parts[2])(const ck_attention *p, int64_t item, const void *partial, int64_t parts, int64_t distance);
} ck_attention_kernels;

CK_DECLARE_TABLES(ck_attention_kernels, ck_attention);

static inline int64_t ck_attention_padded(int64_t width, int64_t element)
{
    int64_t panel = ATTENTION_PANEL_BYTES / element;
    return (width + panel - 1) / panel * panel;
}

#endif
