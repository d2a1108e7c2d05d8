// The blocks that threads work on, for one element type and instruction set. Included once for each with T, MASK,
// VECTOR_BYTES, MAX_ROWS, DOT_ROWS, DEPTH, APPLY_UNARY, APPLY_WITH_SLOPE, KERNELS and NAME() defined. Scratch memory is on the stack, and
// small enough for a thread that has little of it.

static inline int64_t NAME(min)(int64_t x, int64_t y) { return x < y ? x : y; }

/// The k of each step when k goes in equal steps of `most` at most.
static inline int64_t NAME(step_depth)(int64_t k, int64_t most) {
    const int64_t steps = (k + most - 1) / most;
    return steps ? (k + steps - 1) / steps : 0;
}

/// Where a piece of C is, and which part of the sum over k its product is.
typedef struct NAME(piece) {
    int64_t item, row, rows, column, columns;
    int first, last;
} NAME(piece);

static NAME(piece) NAME(whole_block)(const matmul_block *block, int first, int last) {
    return (NAME(piece)){block->item, block->row, block->rows, block->column, block->columns, first, last};
}

typedef struct NAME(operand) {
    const T *at;
    int64_t row;  // the distance of rows
    int packed;   // A lies k by k, `row` apart
} NAME(operand);

#include "matmul_tile.h"  // first: the others use its vectors
#include "matmul_wide.h"
#include "transpose_vectors.h"
#include "matmul_dot.h"
#include "matmul_finish.h"
#include "matmul_pack.h"
#include "matmul_thin.h"

// Direct blocks

/// Whether tiles can write their sums where C stands: they start from C, from the bias or from nothing.
INLINE int NAME(starts_plainly)(const matmul_call *call, const NAME(piece) *piece, const T *c, const T **start, int64_t *start_row) {
    const ck_matmul *p = &call->p;
    if (!piece->first || (p->beta == 1 && !call->bias)) {
        *start = c;
        *start_row = p->c_row;
        return 1;
    }
    if (p->beta != 0 || (call->bias && p->bias_column != 1)) return 0;
    *start = call->bias ? (const T *)call->bias + piece->row * p->bias_row + piece->column : 0;
    *start_row = p->bias_row;
    return 1;
}

/// Multiplies one tile, into C itself when it stands there in whole vectors and nothing but a sum is to be done.
INLINE void NAME(run_tile)(const matmul_call *call, const NAME(piece) *piece, int64_t k, NAME(operand) a,
                           NAME(operand) b) {
    const ck_matmul *p = &call->p;
    const int64_t vectors = (piece->columns + LANES - 1) / LANES;
    NAME(tile) *const tile = vectors > VECTORS ? NAME(wide_tiles)[piece->rows - 1]
                                               : NAME(tiles)[piece->rows - 1][vectors - 1][a.packed];
    T *const c = NAME(c_at)(call, piece);
    const T *start;
    int64_t start_row;
    if (p->c_column == 1 && piece->columns == vectors * LANES && NAME(starts_plainly)(call, piece, c, &start, &start_row)) {
        tile(k, a.at, a.row, b.at, b.row, c, p->c_row, (T)p->alpha, start, start_row);
        if (piece->last && p->activation == CK_ACTIVATE_RELU) NAME(rectify)(c, p->c_row, piece->rows, piece->columns);
        return;
    }
    const int standing = p->c_row == 1 && p->c_column != 1;
    for (int64_t i = 0; i < (standing ? piece->columns : piece->rows); i++) {
        __builtin_prefetch(c + i * (standing ? p->c_column : p->c_row), 1);
    }
    _Alignas(VECTOR_BYTES) T product[MAX_ROWS * PANEL];
    tile(k, a.at, a.row, b.at, b.row, product, vectors * LANES, (T)p->alpha, 0, 0);
    if (standing) {
        NAME(finish_standing)(call, piece, product, vectors * LANES);
    } else {
        NAME(finish)(call, piece, product, vectors * LANES);
    }
}

/// One step of k of a direct block.
typedef struct NAME(direct) {
    const matmul_call *call;
    const matmul_block *block;
    const T *a, *b;  // at the block's item and the step's first k
    int64_t k;
    T *a_scratch, *b_scratch;
    int64_t b_scratch_column;  // the columns of B now in b_scratch
} NAME(direct);

static NAME(operand) NAME(direct_a)(NAME(direct) *step, int64_t row, int64_t rows) {
    const ck_matmul *p = &step->call->p;
    const T *from = step->a + row * p->a_row;
    if (ck_matmul_reads_a_in_place(p, sizeof(T))) {
        return p->a_column == 1 ? (NAME(operand)){from, p->a_row, 0} : (NAME(operand)){from, p->a_column, 1};
    }
    NAME(pack)(step->a_scratch, rows, rows, from, p->a_row, p->a_column, step->k);
    return (NAME(operand)){step->a_scratch, rows, 1};
}

/// A panel of B: in place when it can be read in whole vectors.
static NAME(operand) NAME(direct_b)(NAME(direct) *step, int64_t column, int64_t columns) {
    const ck_matmul *p = &step->call->p;
    const T *from = step->b + column * p->b_column;
    if (p->b_column == 1 && columns % LANES == 0) return (NAME(operand)){.at = from, .row = p->b_row};
    const int64_t width = (columns + LANES - 1) / LANES * LANES;
    if (step->b_scratch_column != column) {
        NAME(pack)(step->b_scratch, width, columns, from, p->b_column, p->b_row, step->k);
        step->b_scratch_column = column;
    }
    return (NAME(operand)){.at = step->b_scratch, .row = width};
}

static void NAME(direct_step)(NAME(direct) *step, int first, int last) {
    const matmul_block *block = step->block;
    const int a_in_place = ck_matmul_reads_a_in_place(&step->call->p, sizeof(T));
    // What has to be packed goes around the outside, to be packed once.
    const int64_t outer = a_in_place ? block->columns : block->rows;
    const int64_t inner = a_in_place ? block->rows : block->columns;
    const int64_t outer_size = a_in_place ? PANEL : block->tile_rows;
    const int64_t inner_size = a_in_place ? block->tile_rows : PANEL;
    for (int64_t o = 0; o < outer; o += outer_size) {
        NAME(operand) a = {0}, b = {0};
        if (!a_in_place) a = NAME(direct_a)(step, block->row + o, NAME(min)(outer_size, outer - o));
        if (a_in_place) b = NAME(direct_b)(step, block->column + o, NAME(min)(outer_size, outer - o));
        for (int64_t i = 0; i < inner; i += inner_size) {
            const int64_t row = a_in_place ? i : o, column = a_in_place ? o : i;
            NAME(piece) piece = {.item = block->item, .row = block->row + row, .column = block->column + column,
                                 .first = first, .last = last};
            piece.rows = NAME(min)(block->tile_rows, block->rows - row);
            piece.columns = NAME(min)(PANEL, block->columns - column);
            if (a_in_place) a = NAME(direct_a)(step, piece.row, piece.rows);
            if (!a_in_place) b = NAME(direct_b)(step, piece.column, piece.columns);
            NAME(run_tile)(step->call, &piece, step->k, a, b);
        }
    }
}

static void NAME(direct_block)(const matmul_call *call, const matmul_block *block) {
    const ck_matmul *p = &call->p;
    _Alignas(64) T a_scratch[MAX_ROWS * DEPTH], b_scratch[DEPTH * PANEL];
    // Where nothing is packed steps may be longer.
    const int in_place = ck_matmul_reads_a_in_place(p, sizeof(T)) && p->b_column == 1 && block->columns % LANES == 0;
    const int64_t depth = NAME(step_depth)(block->k_count, in_place ? 4 * DEPTH : DEPTH);
    const int64_t end = block->k_start + block->k_count;
    int64_t start = block->k_start;
    do {
        const int64_t k = NAME(min)(depth, end - start);
        NAME(direct) step = {.call = call, .block = block, .k = k, .a_scratch = a_scratch, .b_scratch = b_scratch};
        step.a = (const T *)call->a + block->item * p->a_batch + start * p->a_column;
        step.b = (const T *)call->b + block->item * p->b_batch + start * p->b_row;
        step.b_scratch_column = -1;
        NAME(direct_step)(&step, start == block->k_start, start + k == end);
        start += k;
    } while (start < end);
    const NAME(piece) whole = NAME(whole_block)(block, 1, 1);
    NAME(activate)(call, &whole);
}

// Packed blocks

static void NAME(pack_a)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const ck_matmul *p = &call->p;
    const T *from = (const T *)call->a + block->item * p->a_batch + block->k_start * p->a_column;
    NAME(pack_panels)((T *)packed->a + (block->row - packed->first_row) * block->k_count, block->tile_rows, block->rows, 1,
                      from + block->row * p->a_row, p->a_row, p->a_column, block->k_count);
}

static void NAME(pack_b)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const ck_matmul *p = &call->p;
    const T *from = (const T *)call->b + block->item * p->b_batch + block->k_start * p->b_row;
    NAME(pack_panels)((T *)packed->b + (block->column - packed->first_column) * block->k_count, PANEL, block->columns,
                      LANES, from + block->column * p->b_column, p->b_column, p->b_row, block->k_count);
}

/// A tile of A, packed or where it stands.
static NAME(operand) NAME(packed_a)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed,
                                    int64_t row, int64_t rows) {
    const ck_matmul *p = &call->p;
    if (packed->a) return (NAME(operand)){(const T *)packed->a + (row - packed->first_row) * block->k_count, rows, 1};
    const T *at = (const T *)call->a + block->item * p->a_batch + row * p->a_row + block->k_start * p->a_column;
    return p->a_column == 1 ? (NAME(operand)){at, p->a_row, 0} : (NAME(operand)){at, p->a_column, 1};
}

/// A panel of B, packed or where it stands.
static NAME(operand) NAME(packed_b)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed,
                                    int64_t column, int64_t columns) {
    const ck_matmul *p = &call->p;
    if (packed->b) {
        const T *at = (const T *)packed->b + (column - packed->first_column) * block->k_count;
        return (NAME(operand)){.at = at, .row = (columns + LANES - 1) / LANES * LANES};
    }
    return (NAME(operand)){(const T *)call->b + block->item * p->b_batch + block->k_start * p->b_row + column, p->b_row};
}

/// Panels that are enough to spread the fetching of a tile of A over.
#define ENOUGH_PANELS 4

/// Asks for a part of a tile of A where it stands, k from `from` to `to`: hardware does not follow so many rows at once.
INLINE void NAME(fetch_part)(NAME(operand) a, int64_t rows, int64_t from, int64_t to) {
    for (int64_t p = from; p < to && a.packed; p++) __builtin_prefetch(a.at + p * a.row + rows - 1, 0, 2);
    for (int64_t i = 0; i < rows && !a.packed; i++) {
        for (int64_t p = from; p < to; p += LANES) __builtin_prefetch(a.at + i * a.row + p, 0, 2);
    }
}

/// A tile of A stays in the nearest cache while the panels of B go by, and the next one comes meanwhile. What run_tile finds out for each
/// tile is the same for all of whole panels.
static void NAME(packed_block)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const ck_matmul *p = &call->p;
    const int64_t k = block->k_count, panels = (block->columns + PANEL - 1) / PANEL, whole_panels = block->columns / PANEL;
    const int64_t fetched = !packed->a && panels >= ENOUGH_PANELS ? (k / panels + LANES - 1) / LANES * LANES : 0;
    const NAME(piece) whole = NAME(whole_block)(block, block->k_start == 0, block->k_start + k == p->k);
    for (int64_t row = 0; row < block->rows; row += block->tile_rows) {
        NAME(piece) piece = whole;
        piece.row = block->row + row;
        piece.rows = NAME(min)(block->tile_rows, block->rows - row);
        const int64_t next_row = piece.row + piece.rows, next_rows = NAME(min)(block->tile_rows, p->m - next_row);
        const NAME(operand) a = NAME(packed_a)(call, block, packed, piece.row, piece.rows);
        const NAME(operand) next = NAME(packed_a)(call, block, packed, next_row, next_rows);
        T *const c = NAME(c_at)(call, &piece);
        const T *start = 0;
        int64_t start_row = 0;
        const int plain = p->c_column == 1 && NAME(starts_plainly)(call, &piece, c, &start, &start_row);
        NAME(tile) *const tile = NAME(tiles)[piece.rows - 1][VECTORS - 1][a.packed];
        for (int64_t panel = 0; panel < panels; panel++) {
            piece.column = block->column + panel * PANEL;
            piece.columns = NAME(min)(PANEL, block->columns - panel * PANEL);
            NAME(fetch_part)(next, next_rows, panel * fetched, NAME(min)((panel + 1) * fetched, k));
            const NAME(operand) b = NAME(packed_b)(call, block, packed, piece.column, piece.columns);
            if (plain && panel < whole_panels) {
                tile(k, a.at, a.row, b.at, PANEL, c + panel * PANEL, p->c_row, (T)p->alpha, start ? start + panel * PANEL : 0, start_row);
            } else {
                NAME(run_tile)(call, &piece, k, a, b);
            }
        }
        const int rectifies = plain && piece.last && p->activation == CK_ACTIVATE_RELU;
        if (rectifies) NAME(rectify)(c, p->c_row, piece.rows, whole_panels * PANEL);
    }
    if (whole.last) NAME(activate)(call, &whole);
}

/// The rows of a block by a panel of B, whose columns `piece` says.
static void NAME(multiply_panel)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed,
                                 NAME(piece) piece, NAME(operand) b, int64_t tile_rows) {
    for (int64_t row = 0; row < block->rows; row += tile_rows) {
        piece.row = block->row + row;
        piece.rows = NAME(min)(tile_rows, block->rows - row);
        NAME(run_tile)(call, &piece, block->k_count, NAME(packed_a)(call, block, packed, piece.row, piece.rows), b);
    }
}

/// The columns after the block's own as dot products.
static void NAME(multiply_lines)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed,
                                 NAME(piece) piece) {
    const ck_matmul *p = &call->p;
    matmul_block rest = *block;
    rest.column = piece.column = block->columns;
    rest.columns = p->n - block->columns;
    const T *a = (const T *)call->a + block->item * p->a_batch + block->k_start;
    const NAME(operand) lines = {.at = packed->lines, .row = block->k_count};
    for (int64_t row = 0; row < block->rows; row += DOT_BLOCK) {
        piece.row = block->row + row;
        piece.rows = NAME(min)(DOT_BLOCK, block->rows - row);
        const NAME(operand) from = {.at = a + piece.row * p->a_row, .row = p->a_row};
        NAME(dot_step)(call, &rest, &piece, from, lines, block->k_count);
    }
}

static void NAME(narrow_block)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const int64_t wide_tiles = (block->rows + WIDE_ROWS - 1) / WIDE_ROWS, wide_rows = (block->rows + wide_tiles - 1) / wide_tiles;
    NAME(piece) whole = NAME(whole_block)(block, block->k_start == 0, block->k_start + block->k_count == call->p.k);
    NAME(piece) piece = whole;
    for (piece.column = 0; piece.column < block->columns; piece.column += piece.columns) {
        const int64_t left = block->columns - piece.column;
        piece.columns = left <= WIDE_VECTORS * LANES ? left : PANEL;
        const NAME(operand) b = NAME(packed_b)(call, block, packed, piece.column, piece.columns);
        NAME(multiply_panel)(call, block, packed, piece, b, piece.columns > PANEL ? wide_rows : block->tile_rows);
    }
    if (block->columns < call->p.n) NAME(multiply_lines)(call, block, packed, piece);
    whole.columns = call->p.n;
    if (whole.last) NAME(activate)(call, &whole);
}

static void NAME(combine)(const matmul_call *call, const matmul_block *block, const void *partials, int64_t slices) {
    const ck_matmul *p = &call->p;
    const int64_t slice = p->batch * p->m * p->n;
    for (int64_t row = block->row; row < block->row + block->rows; row++) {
        for (int64_t column = 0; column < p->n; column += PANEL) {
            const NAME(piece) piece = {block->item, row, 1, column, NAME(min)(PANEL, p->n - column), 1, 1};
            const T *from = (const T *)partials + (block->item * p->m + row) * p->n + column;
            T sum[PANEL];
            for (int64_t j = 0; j < piece.columns; j++) sum[j] = from[j];
            for (int64_t s = 1; s < slices; s++) {
                for (int64_t j = 0; j < piece.columns; j++) sum[j] += from[s * slice + j];
            }
            for (int64_t j = 0; j < piece.columns; j++) sum[j] *= (T)p->alpha;
            NAME(finish)(call, &piece, sum, PANEL);
        }
    }
    const NAME(piece) whole = {block->item, block->row, block->rows, 0, p->n, 1, 1};
    NAME(activate)(call, &whole);
}

// For other kernels

static void NAME(pack_any)(void *to, int64_t to_width, int64_t width, const void *from, int64_t across, int64_t along,
                           int64_t k) {
    NAME(pack)(to, to_width, width, from, across, along, k);
}

static void NAME(any_tile)(int64_t rows, int64_t vectors, int by_k, int64_t k, const void *a, int64_t a_step,
                           const void *b, int64_t b_row, void *c, int64_t c_row, double alpha, int accumulate) {
    NAME(tiles)[rows - 1][vectors - 1][by_k](k, a, a_step, b, b_row, c, c_row, (T)alpha, accumulate ? c : 0, c_row);
}

const matmul_kernels KERNELS = {
    .element = sizeof(T), .lanes = LANES, .tile_rows = MAX_ROWS, .panel_columns = PANEL, .depth = 2048 / sizeof(T),
    .direct_block = NAME(direct_block), .dot_block = NAME(dot_block), .stream_block = NAME(stream_block),
    .pack_a = NAME(pack_a), .pack_b = NAME(pack_b), .packed_block = NAME(packed_block),
    .narrow_block = NAME(narrow_block), .combine = NAME(combine), .pack = NAME(pack_any), .tile = NAME(any_tile),
};

#undef LANES
#undef VECTORS
#undef PANEL
#undef WIDE_VECTORS
#undef WIDE_ROWS
#undef vector
#undef INLINE
#undef UNROLL
#undef KEEP_ORDER
#undef TILE
#undef TILES
#undef ENTRY
#undef DOT
#undef DOTS
#undef DOT_ENTRY
#undef SIDE
#undef PACKED_TURNS
#undef QUADS
#undef SHUFFLE_FLOATS
#undef SHUFFLE_DOUBLES
#undef FIRST_FLOATS
#undef LAST_FLOATS
#undef FIRST_DOUBLES
#undef LAST_DOUBLES
#undef DOT_DEPTH
#undef DOT_BLOCK
#undef STREAM_SCRATCH
#undef ENOUGH_PANELS
