/// Attention for one element type: included by both_reals.h. Products of blocks go by the tiles of the matrix
/// product. A block has up to ATTENTION_KEYS keys and a few tiles of queries; what is multiplied is packed in panels of columns, and
/// a panel of a packed matrix with `depth` rows takes depth * PANEL elements.
///
///     s = scale q kᵀ + mask,  w = e^(s − m),  y = Σ w v / Σ w          m: the largest s of the row so far, as keys pass
///     p = e^(s − m) / Σ w,  dv = pᵀ dy,  dp = dy vᵀ,  ds = p (dp − Σ dy y),  dq = scale ds k,  dk = scale dsᵀ q

#include "rows_vectors_body.h"

#define PANEL (2 * LANES)

CK_INLINE int64_t T(least)(int64_t a, int64_t b) { return a < b ? a : b; }
CK_INLINE int64_t T(padded)(int64_t width) { return (width + PANEL - 1) / PANEL * PANEL; }
CK_INLINE REAL *T(row_at)(const ck_matrices *x, int64_t item, int64_t row)
{
    return (REAL *)x->start + x->offsets[item] + row * x->row;
}

/// Takes the next `count` elements of scratch memory.
CK_INLINE REAL *T(take)(REAL **scratch, int64_t count)
{
    REAL *taken = *scratch;
    *scratch += count;
    return taken;
}

/// How many rows of `count` make tiles of nearly the same height.
CK_INLINE int64_t T(tile_rows)(const ck_attention_task *task, int64_t count)
{
    int64_t most = task->product->tile_rows, tiles = (count + most - 1) / most;
    return (count + tiles - 1) / tiles;
}

// MARK: Packing

/// Panels of the columns of a matrix with `rows` rows.
static void T(pack_columns)(const ck_attention_task *task, REAL *to, const REAL *x, int64_t row, int64_t rows, int64_t width)
{
    for (int64_t j = 0; j < width; j += PANEL, to += rows * PANEL)
        task->product->pack(to, PANEL, T(least)(PANEL, width - j), x + j, 1, row, rows);
}

/// Panels of its rows: of the columns of the transpose.
static void T(pack_rows)(const ck_attention_task *task, REAL *to, const REAL *x, int64_t row, int64_t rows, int64_t width)
{
    for (int64_t j = 0; j < rows; j += PANEL, to += width * PANEL)
        task->product->pack(to, PANEL, T(least)(PANEL, rows - j), x + j * row, row, 1, width);
}

// MARK: Blocks

/// A few queries and keys that meet.
typedef struct T(block) {
    const ck_attention_task *task;
    int64_t row, rows, tile, key, keys;
} T(block);

/// How many keys of the block the query in its row `row` may see, a mask apart.
CK_INLINE int64_t T(seen)(const T(block) *b, int64_t row)
{
    int64_t before = b->row + row + 1 - b->key;
    return !b->task->p->is_causal || before > b->keys ? b->keys : before > 0 ? before : 0;
}

/// to = alpha a b, the scores of all rows of the block, or what stands beside them: `a` are rows of `width` elements, `b` is packed. Tiles
/// that no query sees stay as they are.
static void T(score_products)(const T(block) *b, REAL *to, REAL alpha, int64_t width, const REAL *a, int64_t a_row,
                              const REAL *packed)
{
    for (int64_t j = 0; j < b->keys; j += PANEL, packed += width * PANEL) {
        for (int64_t i = 0; i < b->rows; i += b->tile) {
            int64_t rows = T(least)(b->tile, b->rows - i), columns = T(seen)(b, i + rows - 1) - j;
            if (columns <= 0) continue;
            b->task->product->tile(rows, columns > LANES ? 2 : 1, 0, width, a + i * a_row, a_row, packed, PANEL,
                                   to + i * ATTENTION_STRIDE + j, ATTENTION_STRIDE, (double)alpha, 0);
        }
    }
}

/// to += alpha s b for a block of score-like numbers, by queries; `b` holds the keys' rows in panels of columns.
static void T(add_over_keys)(const T(block) *b, REAL *to, int64_t to_row, REAL alpha, const REAL *s, const REAL *packed,
                             int64_t width)
{
    for (int64_t j = 0; j < width; j += PANEL, packed += b->keys * PANEL) {
        for (int64_t i = 0; i < b->rows; i += b->tile) {
            int64_t rows = T(least)(b->tile, b->rows - i), seen = T(seen)(b, i + rows - 1);
            if (seen == 0) continue;
            b->task->product->tile(rows, width - j > LANES ? 2 : 1, 0, seen, s + i * ATTENTION_STRIDE, ATTENTION_STRIDE,
                                   packed, PANEL, to + i * to_row + j, to_row, (double)alpha, 1);
        }
    }
}

/// to += alpha sᵀ b, by keys; `b` holds the queries' rows in panels of columns. Queries before a key are left out.
static void T(add_over_queries)(const T(block) *b, REAL *to, int64_t to_row, REAL alpha, const REAL *s,
                                const REAL *packed, int64_t width)
{
    int64_t tile = T(tile_rows)(b->task, b->keys);
    for (int64_t j = 0; j < width; j += PANEL, packed += b->rows * PANEL) {
        for (int64_t i = 0; i < b->keys; i += tile) {
            int64_t before = b->task->p->is_causal ? b->key + i - b->row : 0, first = before > 0 ? before : 0;
            if (first >= b->rows) break;
            b->task->product->tile(T(least)(tile, b->keys - i), width - j > LANES ? 2 : 1, 1, b->rows - first,
                                   s + first * ATTENTION_STRIDE + i, ATTENTION_STRIDE, packed + first * PANEL, PANEL,
                                   to + i * to_row + j, to_row, (double)alpha, 1);
        }
    }
}

/// Brings the mask of one row into its scores.
static void T(mask_scores)(const T(block) *b, int64_t row, REAL *scores)
{
    const ck_attention *p = b->task->p;
    if (p->mask_kind == CK_MASK_NONE) return;
    int64_t count = T(seen)(b, row);
    int64_t step = p->mask.column, place = p->mask.offsets[b->task->item] + (b->row + row) * p->mask.row + b->key * step;
    if (p->mask_kind == CK_MASK_BYTES) {
        const uint8_t *mask = (const uint8_t *)p->mask.start + place;
        for (int64_t j = 0; j < count; j++) scores[j] = mask[j * step] ? scores[j] : (REAL)-INFINITY;
    } else {
        const REAL *mask = (const REAL *)p->mask.start + place;
        for (int64_t j = 0; j < count; j++) scores[j] += mask[j * step];
    }
}

// MARK: Forward

/// A row of y on its way.
typedef struct T(running) {
    double total;  // Σ w
    REAL largest;
} T(running);

/// Fills what a row of the block does not see, up to where the tiles that it is in end. Answers that end: rows go by whole vectors.
CK_INLINE int64_t T(fill_unseen)(const T(block) *b, int64_t row, REAL *scores, REAL filler)
{
    int64_t last = T(least)((row / b->tile + 1) * b->tile, b->rows) - 1, end = (T(seen)(b, last) + LANES - 1) / LANES * LANES;
    for (int64_t j = T(seen)(b, row); j < end; j += LANES) T(store)(scores + j, T(splat)(filler));
    return end;
}

/// Turns the scores of a row into weights w, and what was summed before into what it is beside a larger maximum.
static void T(weigh)(const T(block) *b, int64_t row, REAL *scores, T(running) *running, REAL *sum, int64_t width)
{
    int64_t end = T(fill_unseen)(b, row, scores, (REAL)-INFINITY);
    if (end == 0) return;
    T(mask_scores)(b, row, scores);
    REAL before = running->largest, now = T(row_maximum)(scores, end);
    if (before > now) now = before;
    // The difference of two infinities would be no number.
    REAL base = now == (REAL)-INFINITY ? 0 : now;
    if (now != before && running->total != 0) {
        REAL factor = (REAL)exp((double)before - (double)base);
        running->total *= factor;
        for (int64_t j = 0; j < width; j += LANES) T(store)(sum + j, T(load)(sum + j) * factor);
    }
    running->largest = now;
    running->total += T(row_exponentials)(scores, end, base, scores);
}

static void T(finish_row)(const ck_attention_task *task, int64_t row, const T(running) *running, const REAL *sum)
{
    const ck_attention *p = task->p;
    int is_blind = p->mask_kind != CK_MASK_NONE && running->total == 0;
    REAL share = is_blind ? 0 : (REAL)(1 / running->total), *y = T(row_at)(&p->y, task->item, row);
    for (int64_t j = 0; j < p->value_width; j += LANES)
        T(put_columns)(y, j, p->value_width, is_blind ? T(splat)(0) : T(load)(sum + j) * share);
    REAL *statistics = (REAL *)p->statistics + 2 * (task->item * p->queries + row);
    statistics[0] = running->largest == (REAL)-INFINITY ? 0 : running->largest;
    statistics[1] = share;
}

static void T(attention)(const ck_attention_task *task)
{
    const ck_attention *p = task->p;
    int64_t item = task->item, count = task->end - task->first, width = T(padded)(p->value_width);
    REAL *scratch = task->scratch;
    REAL *scores = T(take)(&scratch, ATTENTION_ROWS * ATTENTION_STRIDE);
    REAL *keys = T(take)(&scratch, ATTENTION_KEYS * p->width), *values = T(take)(&scratch, ATTENTION_KEYS * width);
    REAL *sums = T(take)(&scratch, count * width);
    T(running) *running = (void *)scratch;
    memset(sums, 0, (size_t)(count * width) * sizeof(REAL));
    for (int64_t i = 0; i < count; i++) running[i] = (T(running)){.largest = (REAL)-INFINITY};
    T(block) b = {.task = task, .tile = T(tile_rows)(task, count)};
    int64_t last = p->is_causal ? T(least)(task->end, p->keys) : p->keys;
    for (b.key = 0; b.key < last; b.key += ATTENTION_KEYS) {
        b.keys = T(least)(ATTENTION_KEYS, p->keys - b.key);
        T(pack_rows)(task, keys, T(row_at)(&p->k, item, b.key), p->k.row, b.keys, p->width);
        T(pack_columns)(task, values, T(row_at)(&p->v, item, b.key), p->v.row, b.keys, p->value_width);
        for (b.row = task->first; b.row < task->end; b.row += b.rows) {
            b.rows = T(least)(ATTENTION_TILES * b.tile, task->end - b.row);
            int64_t place = b.row - task->first;
            T(score_products)(&b, scores, (REAL)p->scale, p->width, T(row_at)(&p->q, item, b.row), p->q.row, keys);
            for (int64_t i = 0; i < b.rows; i++)
                T(weigh)(&b, i, scores + i * ATTENTION_STRIDE, &running[place + i], sums + (place + i) * width, width);
            T(add_over_keys)(&b, sums + place * width, width, 1, scores, values, p->value_width);
        }
    }
    for (int64_t i = 0; i < count; i++) T(finish_row)(task, task->first + i, &running[i], sums + i * width);
}

// MARK: Backward

/// Σ dy y of a row.
static REAL T(row_product)(const ck_attention_task *task, int64_t row)
{
    const ck_attention *p = task->p;
    const REAL *dy = T(row_at)(&p->dy, task->item, row), *y = T(row_at)(&p->y, task->item, row);
    T(row_sum) sum = {0};
    for (int64_t j = 0; j < p->value_width; j += LANES) {
        VECTOR a = T(columns_at)(dy, j, p->value_width, 0), b = T(columns_at)(y, j, p->value_width, 0);
        for (int h = 0; h < PARTS; h++) sum.part[h] = MADD(WIDEN(a, h), WIDEN(b, h), sum.part[h]);
    }
    return (REAL)T(sum_total)(&sum);
}

/// Turns the scores of a row into p and dp into ds, both zeros where the query does not see.
static void T(differentiate)(const T(block) *b, int64_t row, REAL *scores, REAL *products, REAL product)
{
    const ck_attention *p = b->task->p;
    const REAL *statistics = (const REAL *)p->statistics + 2 * (b->task->item * p->queries + b->row + row);
    int64_t end = T(fill_unseen)(b, row, scores, (REAL)-INFINITY);
    T(fill_unseen)(b, row, products, 0);
    T(mask_scores)(b, row, scores);
    for (int64_t j = 0; j < end; j += LANES) {
        VECTOR weight = T(exp)(T(load)(scores + j) - statistics[0]) * statistics[1];
        T(store)(scores + j, weight);
        T(store)(products + j, weight * (T(load)(products + j) - product));
    }
    for (int64_t j = end; j < b->keys; j += LANES) {
        T(store)(scores + j, T(splat)(0));
        T(store)(products + j, T(splat)(0));
    }
}

static void T(write_rows)(const ck_matrices *to, int64_t item, int64_t row, int64_t rows, const REAL *from, int64_t width)
{
    for (int64_t i = 0; i < rows; i++) {
        const REAL *x = from + i * T(padded)(width);
        for (int64_t j = 0; j < width; j += LANES) T(put_columns)(T(row_at)(to, item, row + i), j, width, T(load)(x + j));
    }
}

static void T(attention_grad)(const ck_attention_task *task)
{
    const ck_attention *p = task->p;
    int64_t item = task->item, width = T(padded)(p->width), value_width = T(padded)(p->value_width);
    REAL *scratch = task->scratch;
    REAL *scores = T(take)(&scratch, ATTENTION_ROWS * ATTENTION_STRIDE);
    REAL *products = T(take)(&scratch, ATTENTION_ROWS * ATTENTION_STRIDE);
    REAL *key_rows = T(take)(&scratch, ATTENTION_KEYS * width), *keys = T(take)(&scratch, ATTENTION_KEYS * width);
    REAL *value_rows = T(take)(&scratch, ATTENTION_KEYS * value_width);
    REAL *queries = T(take)(&scratch, ATTENTION_ROWS * width), *dy = T(take)(&scratch, ATTENTION_ROWS * value_width);
    REAL *dk = T(take)(&scratch, ATTENTION_KEYS * width), *dv = T(take)(&scratch, ATTENTION_KEYS * value_width);
    REAL *row_products = T(take)(&scratch, p->queries), *dq = task->dq;
    for (int64_t i = 0; i < p->queries; i++) row_products[i] = T(row_product)(task, i);
    memset(dq, 0, (size_t)(p->queries * width) * sizeof(REAL));
    T(block) b = {.task = task};
    for (b.key = task->first; b.key < task->end; b.key += ATTENTION_KEYS) {
        b.keys = T(least)(ATTENTION_KEYS, task->end - b.key);
        T(pack_rows)(task, key_rows, T(row_at)(&p->k, item, b.key), p->k.row, b.keys, p->width);
        T(pack_columns)(task, keys, T(row_at)(&p->k, item, b.key), p->k.row, b.keys, p->width);
        T(pack_rows)(task, value_rows, T(row_at)(&p->v, item, b.key), p->v.row, b.keys, p->value_width);
        memset(dk, 0, (size_t)(b.keys * width) * sizeof(REAL));
        memset(dv, 0, (size_t)(b.keys * value_width) * sizeof(REAL));
        b.row = p->is_causal ? b.key : 0;
        if (b.row < p->queries) b.tile = T(tile_rows)(task, p->queries - b.row);
        for (; b.row < p->queries; b.row += b.rows) {
            b.rows = T(least)(ATTENTION_TILES * b.tile, p->queries - b.row);
            const REAL *q = T(row_at)(&p->q, item, b.row), *g = T(row_at)(&p->dy, item, b.row);
            T(pack_columns)(task, queries, q, p->q.row, b.rows, p->width);
            T(pack_columns)(task, dy, g, p->dy.row, b.rows, p->value_width);
            T(score_products)(&b, scores, (REAL)p->scale, p->width, q, p->q.row, key_rows);
            T(score_products)(&b, products, 1, p->value_width, g, p->dy.row, value_rows);
            for (int64_t i = 0; i < b.rows; i++)
                T(differentiate)(&b, i, scores + i * ATTENTION_STRIDE, products + i * ATTENTION_STRIDE,
                                 row_products[b.row + i]);
            T(add_over_queries)(&b, dv, value_width, 1, scores, dy, p->value_width);
            T(add_over_queries)(&b, dk, width, (REAL)p->scale, products, queries, p->width);
            T(add_over_keys)(&b, dq + b.row * width, width, (REAL)p->scale, products, keys, p->width);
        }
        T(write_rows)(&p->dk, item, b.key, b.keys, dk, p->width);
        T(write_rows)(&p->dv, item, b.key, b.keys, dv, p->value_width);
    }
}

static void T(add_parts)(const ck_attention *p, int64_t item, const void *partial, int64_t parts, int64_t distance)
{
    int64_t width = T(padded)(p->width);
    for (int64_t row = 0; row < p->queries; row++) {
        const REAL *from = (const REAL *)partial + row * width;
        REAL *to = T(row_at)(&p->dq, item, row);
        for (int64_t j = 0; j < p->width; j += LANES) {
            VECTOR sum = T(load)(from + j);
            for (int64_t part = 1; part < parts; part++) sum += T(load)(from + part * distance + j);
            T(put_columns)(to, j, p->width, sum);
        }
    }
}

#undef PANEL
