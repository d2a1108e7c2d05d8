#ifndef CK_ATTENTION_H
#define CK_ATTENTION_H

#include <stddef.h>
#include <stdint.h>

/// A matrix for each item of a batch: rows of contiguous elements, `row` apart; that of an item begins `offsets[item]` elements on.
typedef struct ck_matrices {
    void *start;
    const int64_t *offsets;
    int64_t row;
    int64_t column;  // of a mask only: how far apart the elements of a row are
} ck_matrices;

typedef enum ck_attention_mask { CK_MASK_NONE, CK_MASK_BYTES /* 0 hides */, CK_MASK_ADDED } ck_attention_mask;

/// y = softmax(scale q kᵀ + mask) v for each item, in blocks of scores that never leave the cache. A row that the mask hides as a
/// whole gives zeros. The elements are all of the type that the name of the function says.
typedef struct ck_attention {
    int64_t items, queries, keys, width, value_width;
    double scale;
    int32_t is_causal;  // query i sees the keys up to i; what no query of a block sees is skipped
    ck_attention_mask mask_kind;
    ck_matrices q, k, v, mask;  // (queries, width), (keys, width), (keys, value_width), (queries, keys)
    ck_matrices y;              // (queries, value_width)
    /// (items, queries, 2): of each row the largest score m, 0 if all are -infinity, and 1 / sum of e^(score - m).
    void *statistics;
    ck_matrices dy, dq, dk, dv;  // backward only
    int64_t slots;               // how many threads find scratch memory: as many as may work, whatever the result
    void *workspace;
} ck_attention;

/// Bytes of workspace, 64-byte aligned by the caller. Looks at sizes and slots alone.
size_t ck_attention_workspace_f32(const ck_attention *p);
size_t ck_attention_workspace_f64(const ck_attention *p);
size_t ck_attention_grad_workspace_f32(const ck_attention *p);
size_t ck_attention_grad_workspace_f64(const ck_attention *p);

/// Writes y and the statistics.
void ck_attention_f32(const ck_attention *p);
void ck_attention_f64(const ck_attention *p);
/// Writes dq, dk and dv from dy and what forward wrote.
void ck_attention_grad_f32(const ck_attention *p);
void ck_attention_grad_f64(const ck_attention *p);

#endif
