// Packing, the loops over tiles, and what happens to a finished tile. Included once for each element type and
// instruction set with T, MASK, VECTOR_BYTES, MAX_ROWS, DOT_ROWS, DEPTH, APPLY_UNARY and NAME() defined.

#include "matmul_tile.h"

// Both scratch areas live on the stack: small enough for a thread with a small one.
#define DOT_DEPTH ((int64_t)(4096 / sizeof(T)))
#define DOT_BLOCK 16

static inline int64_t NAME(min)(int64_t x, int64_t y) { return x < y ? x : y; }

/// The k of each step when k goes in equal steps of DEPTH at most.
static inline int64_t NAME(step_depth)(int64_t k) {
    const int64_t steps = (k + DEPTH - 1) / DEPTH;
    return steps ? (k + steps - 1) / steps : 0;
}

// Packing

/// to[p * to_step + i] = from[i * across + p] for the rows i of a square of 16 bytes.
INLINE void NAME(transpose)(T *to, int64_t to_step, const T *from, int64_t across, int64_t k) {
    const int64_t side = 16 / sizeof(T);
    int64_t p = 0;
    for (; p + side <= k; p += side) NAME(transpose_square)(to + p * to_step, to_step, from + p, across);
    for (; p < k; p++) {
        for (int64_t i = 0; i < side; i++) to[p * to_step + i] = from[i * across + p];
    }
}

/// to[p * to_width + i] = from[i * across + p * along] for i < width, p < k; zeros up to `to_width`, which is less
/// than a vector more than `width`.
static void NAME(pack)(T *to, int64_t to_width, int64_t width, const T *from, int64_t across, int64_t along, int64_t k) {
    const int64_t group = 16 / sizeof(T), whole = width / LANES * LANES;
    if (across == 1 && to_width == PANEL && width == PANEL) {
        for (int64_t p = 0; p < k; p++) {
            UNROLL for (int v = 0; v < VECTORS; v++) {
                NAME(store)(to + p * PANEL + v * LANES, NAME(load)(from + p * along + v * LANES));
            }
        }
    } else if (across == 1) {
        for (int64_t p = 0; p < k; p++, to += to_width, from += along) {
            for (int64_t i = 0; i < whole; i += LANES) NAME(store)(to + i, NAME(load)(from + i));
            if (whole == width) continue;
            const vector rest = NAME(load_some)(from + whole, width - whole);
            if (to_width - whole == LANES) {
                NAME(store)(to + whole, rest);
            } else {
                NAME(store_some)(to + whole, rest, width - whole);
            }
        }
    } else {
        for (int64_t p = 0; p < k && width < to_width; p++) {
            for (int64_t i = width; i < to_width; i++) to[p * to_width + i] = 0;
        }
        if (along == 1 && width >= group) {
            for (int64_t i = 0; i < width; i += group) {
                const int64_t at = NAME(min)(i, width - group);  // the last group may overlap the one before
                NAME(transpose)(to + at, to_width, from + at * across, across, k);
            }
        } else {
            for (int64_t i = 0; i < width; i++) {
                for (int64_t p = 0; p < k; p++) to[p * to_width + i] = from[i * across + p * along];
            }
        }
    }
}

// Finishing

/// Where a piece of C is, and which part of the sum over k its product is.
typedef struct NAME(piece) {
    int64_t item, row, rows, column, columns;
    int first, last;
} NAME(piece);

static T *NAME(c_at)(const matmul_call *call, const NAME(piece) *piece) {
    const ck_matmul *p = &call->p;
    return (T *)call->c + piece->item * p->c_batch + piece->row * p->c_row + piece->column * p->c_column;
}

INLINE vector NAME(gather)(const T *from, int64_t stride, int64_t count) {
    if (stride == 1) return count == LANES ? NAME(load)(from) : NAME(load_some)(from, count);
    vector x = {0};
    for (int64_t lane = 0; lane < count; lane++) x[lane] = from[lane * stride];
    return x;
}

INLINE void NAME(scatter)(T *to, vector x, int64_t stride, int64_t count) {
    if (stride == 1 && count == LANES) {
        NAME(store)(to, x);
    } else if (stride == 1) {
        NAME(store_some)(to, x, count);
    } else {
        T lanes[LANES];
        NAME(store)(lanes, x);
        for (int64_t lane = 0; lane < count; lane++) to[lane * stride] = lanes[lane];
    }
}

/// Brings alpha A B (`product`, rows `product_row` apart) into C, with all that belongs to the first and the last part
/// of the sum but the activations that are not ReLU.
static void NAME(finish)(const matmul_call *call, const NAME(piece) *piece, const T *product, int64_t product_row) {
    const ck_matmul *p = &call->p;
    const T beta = (T)p->beta;
    const int relu = piece->last && p->activation == CK_ACTIVATE_RELU;
    T *c = NAME(c_at)(call, piece);
    const T *bias = piece->first ? call->bias : NULL;
    if (bias) bias += piece->row * p->bias_row + piece->column * p->bias_column;
    for (int64_t i = 0; i < piece->rows; i++) {
        for (int64_t j = 0; j < piece->columns; j += LANES) {
            const int64_t count = NAME(min)(LANES, piece->columns - j);
            T *to = c + i * p->c_row + j * p->c_column;
            vector x = count == LANES ? NAME(load)(product + i * product_row + j)
                                      : NAME(load_some)(product + i * product_row + j, count);
            if (!piece->first) {
                x += NAME(gather)(to, p->c_column, count);
            } else if (beta != 0) {
                x += beta * NAME(gather)(to, p->c_column, count);
            }
            if (bias) x += NAME(gather)(bias + i * p->bias_row + j * p->bias_column, p->bias_column, count);
            if (relu) x = (vector)((MASK)x & ~(MASK)(x < (vector){0}));
            NAME(scatter)(to, x, p->c_column, count);
        }
    }
}

/// The activations that `finish` leaves, over a piece that is done.
static void NAME(activate)(const matmul_call *call, const NAME(piece) *piece) {
    ck_unary op;
    switch (call->p.activation) {
    case CK_ACTIVATE_TANH: op = CK_TANH; break;
    case CK_ACTIVATE_SIGMOID: op = CK_SIGMOID; break;
    case CK_ACTIVATE_GELU: op = CK_GELU; break;
    case CK_ACTIVATE_GELU_TANH: op = CK_GELU_TANH; break;
    default: return;
    }
    ck_loop loop = {.rank = 2, .shape = {piece->rows, piece->columns}};
    for (int operand = 0; operand < 2; operand++) {
        loop.strides[operand][0] = call->p.c_row;
        loop.strides[operand][1] = call->p.c_column;
    }
    T *c = NAME(c_at)(call, piece);
    APPLY_UNARY(op, &loop, c, c);
}

// Blocks

typedef struct NAME(operand) {
    const T *at;
    int64_t row;  // the distance of rows; for A, 0 says packed
} NAME(operand);

/// Multiplies one tile, into C itself when nothing but a sum is to be done there.
static void NAME(run_tile)(const matmul_call *call, const NAME(piece) *piece, int64_t k, NAME(operand) a,
                           NAME(operand) b) {
    const ck_matmul *p = &call->p;
    const int64_t vectors = (piece->columns + LANES - 1) / LANES;
    NAME(tile) *const tile = NAME(tiles)[piece->rows - 1][vectors - 1][a.row == 0];
    const int plain_start = !piece->first || (p->beta == 0 && !call->bias);
    const int plain_end = !piece->last || p->activation != CK_ACTIVATE_RELU;
    if (p->c_column == 1 && piece->columns == vectors * LANES && plain_start && plain_end) {
        tile(k, a.at, a.row, b.at, b.row, NAME(c_at)(call, piece), p->c_row, (T)p->alpha, !piece->first);
        return;
    }
    _Alignas(VECTOR_BYTES) T product[MAX_ROWS * PANEL];
    tile(k, a.at, a.row, b.at, b.row, product, vectors * LANES, (T)p->alpha, 0);
    NAME(finish)(call, piece, product, vectors * LANES);
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
    if (ck_matmul_reads_a_in_place(p, sizeof(T))) return (NAME(operand)){from, p->a_row};
    NAME(pack)(step->a_scratch, rows, rows, from, p->a_row, p->a_column, step->k);
    return (NAME(operand)){step->a_scratch, 0};
}

/// A panel of B: in place when it can be read in whole vectors.
static NAME(operand) NAME(direct_b)(NAME(direct) *step, int64_t column, int64_t columns) {
    const ck_matmul *p = &step->call->p;
    const T *from = step->b + column * p->b_column;
    if (p->b_column == 1 && columns % LANES == 0) return (NAME(operand)){from, p->b_row};
    const int64_t width = (columns + LANES - 1) / LANES * LANES;
    if (step->b_scratch_column != column) {
        NAME(pack)(step->b_scratch, width, columns, from, p->b_column, p->b_row, step->k);
        step->b_scratch_column = column;
    }
    return (NAME(operand)){step->b_scratch, width};
}

static void NAME(direct_step)(NAME(direct) *step, int first, int last) {
    const matmul_block *block = step->block;
    const int a_in_place = ck_matmul_reads_a_in_place(&step->call->p, sizeof(T));
    // What has to be packed goes around the outside, to be packed once.
    const int64_t outer = a_in_place ? block->columns : block->rows, inner = a_in_place ? block->rows : block->columns;
    const int64_t outer_size = a_in_place ? PANEL : block->tile_rows, inner_size = a_in_place ? block->tile_rows : PANEL;
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

static NAME(piece) NAME(whole_block)(const matmul_block *block, int first, int last) {
    return (NAME(piece)){block->item, block->row, block->rows, block->column, block->columns, first, last};
}

static void NAME(direct_block)(const matmul_call *call, const matmul_block *block) {
    const ck_matmul *p = &call->p;
    _Alignas(64) T a_scratch[MAX_ROWS * DEPTH], b_scratch[DEPTH * PANEL];
    const int64_t end = block->k_start + block->k_count, depth = NAME(step_depth)(block->k_count);
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

/// Makes `count` lines along k contiguous, DOT_DEPTH apart, unless they are.
static NAME(operand) NAME(dot_lines)(T *scratch, const T *from, int64_t across, int64_t along, int64_t count, int64_t k) {
    if (along == 1) return (NAME(operand)){from, across};
    for (int64_t i = 0; i < count; i++) {
        for (int64_t p = 0; p < k; p++) scratch[i * DOT_DEPTH + p] = from[i * across + p * along];
    }
    return (NAME(operand)){scratch, DOT_DEPTH};
}

/// All rows (DOT_BLOCK at most) by all columns of a block for one step of k. A few columns of B stay close while the
/// rows of A pass.
static void NAME(dot_step)(const matmul_call *call, const matmul_block *block, const NAME(piece) *rows_done,
                           NAME(operand) a, NAME(operand) b, int64_t k) {
    T product[DOT_BLOCK * PANEL];
    for (int64_t column = 0; column < block->columns; column += PANEL) {
        NAME(piece) piece = *rows_done;
        piece.column = block->column + column;
        piece.columns = NAME(min)(PANEL, block->columns - column);
        for (int64_t j = 0; j < piece.columns;) {
            const int64_t width = piece.columns - j >= 4 ? 4 : 1;
            for (int64_t i = 0; i < piece.rows; i += DOT_ROWS) {
                const int64_t rows = NAME(min)(DOT_ROWS, piece.rows - i);
                NAME(dots)[rows - 1][width == 4](k, a.at + i * a.row, a.row, b.at + (column + j) * b.row, b.row,
                                                 product + i * PANEL + j, PANEL, (T)call->p.alpha);
            }
            j += width;
        }
        NAME(finish)(call, &piece, product, PANEL);
    }
}

static void NAME(dot_block)(const matmul_call *call, const matmul_block *block) {
    const ck_matmul *p = &call->p;
    T scratch[8 * DOT_DEPTH];  // the planner lets at most 8 lines need it
    const T *a = (const T *)call->a + block->item * p->a_batch + block->row * p->a_row;
    const T *b = (const T *)call->b + block->item * p->b_batch + block->column * p->b_column;
    const int64_t end = block->k_start + block->k_count;
    for (int64_t start = block->k_start; start < end; start += DOT_DEPTH) {
        const int64_t k = NAME(min)(DOT_DEPTH, end - start);
        NAME(operand) b_lines = {b + start, p->b_column};
        if (p->b_row != 1) {
            b_lines = NAME(dot_lines)(scratch, b + start * p->b_row, p->b_column, p->b_row, block->columns, k);
        }
        for (int64_t row = 0; row < block->rows; row += DOT_BLOCK) {
            NAME(piece) piece = NAME(whole_block)(block, start == block->k_start, start + k == end);
            piece.row += row;
            piece.rows = NAME(min)(DOT_BLOCK, block->rows - row);
            const T *from = a + row * p->a_row + start * p->a_column;
            NAME(dot_step)(call, block, &piece,
                           NAME(dot_lines)(scratch, from, p->a_row, p->a_column, piece.rows, k), b_lines, k);
        }
    }
    const NAME(piece) whole = NAME(whole_block)(block, 1, 1);
    NAME(activate)(call, &whole);
}

static void NAME(pack_a)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const ck_matmul *p = &call->p;
    const T *from = (const T *)call->a + block->item * p->a_batch + block->k_start * p->a_column;
    for (int64_t row = block->row; row < block->row + block->rows; row += block->tile_rows) {
        const int64_t rows = NAME(min)(block->tile_rows, block->row + block->rows - row);
        T *to = (T *)packed->a + (row - packed->first_row) * block->k_count;
        NAME(pack)(to, rows, rows, from + row * p->a_row, p->a_row, p->a_column, block->k_count);
    }
}

static void NAME(pack_b)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const ck_matmul *p = &call->p;
    const T *from = (const T *)call->b + block->item * p->b_batch + block->k_start * p->b_row;
    for (int64_t column = block->column; column < block->column + block->columns; column += PANEL) {
        const int64_t columns = NAME(min)(PANEL, block->column + block->columns - column);
        T *to = (T *)packed->b + (column - packed->first_column) * block->k_count;
        NAME(pack)(to, (columns + LANES - 1) / LANES * LANES, columns, from + column * p->b_column, p->b_column,
                   p->b_row, block->k_count);
    }
}

static void NAME(packed_block)(const matmul_call *call, const matmul_block *block, const matmul_packed *packed) {
    const int64_t k = block->k_count;
    const NAME(piece) whole = NAME(whole_block)(block, block->k_start == 0, block->k_start + k == call->p.k);
    for (int64_t column = 0; column < block->columns; column += PANEL) {
        NAME(piece) piece = whole;
        piece.column = block->column + column;
        piece.columns = NAME(min)(PANEL, block->columns - column);
        NAME(operand) b = {(const T *)packed->b + (piece.column - packed->first_column) * k, 0};
        b.row = (piece.columns + LANES - 1) / LANES * LANES;
        for (int64_t row = 0; row < block->rows; row += block->tile_rows) {
            piece.row = block->row + row;
            piece.rows = NAME(min)(block->tile_rows, block->rows - row);
            const NAME(operand) a = {(const T *)packed->a + (piece.row - packed->first_row) * k, 0};
            NAME(run_tile)(call, &piece, k, a, b);
        }
    }
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

const matmul_kernels KERNELS = {
    .element = sizeof(T), .lanes = LANES, .tile_rows = MAX_ROWS, .panel_columns = PANEL, .depth = DEPTH,
    .direct_block = NAME(direct_block), .dot_block = NAME(dot_block), .pack_a = NAME(pack_a), .pack_b = NAME(pack_b),
    .packed_block = NAME(packed_block), .combine = NAME(combine),
};

#undef LANES
#undef VECTORS
#undef PANEL
#undef vector
#undef INLINE
#undef UNROLL
#undef TILE
#undef TILES
#undef ENTRY
#undef DOT
#undef DOT_DEPTH
#undef DOT_BLOCK
