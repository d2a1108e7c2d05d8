// Products with few rows or few columns, for one element type and instruction set: no tile in registers, since
// nothing would be used often enough. Included by matmul_block.h.

#define DOT_DEPTH ((int64_t)(4096 / sizeof(T)))
#define DOT_BLOCK 16

// Along k

/// Makes `count` lines along k contiguous, DOT_DEPTH apart, unless they are.
static NAME(operand) NAME(dot_lines)(T *scratch, const T *from, int64_t across, int64_t along, int64_t count,
                                     int64_t k) {
    if (along == 1) return (NAME(operand)){.at = from, .row = across};
    for (int64_t i = 0; i < count; i++) {
        for (int64_t p = 0; p < k; p++) scratch[i * DOT_DEPTH + p] = from[i * across + p * along];
    }
    return (NAME(operand)){.at = scratch, .row = DOT_DEPTH};
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
            const int64_t width = NAME(min)(4, piece.columns - j);
            for (int64_t i = 0; i < piece.rows; i += DOT_ROWS) {
                const int64_t rows = NAME(min)(DOT_ROWS, piece.rows - i);
                NAME(dots)[rows - 1][width - 1](k, a.at + i * a.row, a.row, b.at + (column + j) * b.row, b.row,
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
        NAME(operand) b_lines = {.at = b + start, .row = p->b_column};
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

// Streaming

#define STREAM_SCRATCH ((int64_t)(16384 / sizeof(T)))

/// to[j] += sum over p < turns of a[p] B[p][j]: `turns` rows of B pass at once.
INLINE void NAME(stream_rows)(const int turns, int64_t columns, const T *a, int64_t a_column, const T *b, int64_t b_row,
                              T *to) {
    vector from_a[8];
    UNROLL for (int p = 0; p < turns; p++) from_a[p] = a[p * a_column] - (vector){0};  // splat
    for (int64_t j = 0; j + LANES <= columns; j += LANES) {
        vector sum = NAME(load)(to + j);
        UNROLL for (int p = 0; p < turns; p++) sum += from_a[p] * NAME(load)(b + p * b_row + j);
        NAME(store)(to + j, sum);
    }
    const int64_t rest = columns % LANES, j = columns - rest;
    if (rest == 0) return;
    vector sum = NAME(load)(to + j);
    UNROLL for (int p = 0; p < turns; p++) sum += from_a[p] * NAME(load_some)(b + p * b_row + j, rest);
    NAME(store)(to + j, sum);
}

/// All the k of a block for some columns, of which `product` (rows `width` apart) holds the sums.
static void NAME(stream_columns)(const matmul_call *call, const matmul_block *block, const NAME(piece) *piece,
                                 T *product, int64_t width) {
    const ck_matmul *p = &call->p;
    const T *a = (const T *)call->a + block->item * p->a_batch + block->row * p->a_row;
    const T *b = (const T *)call->b + block->item * p->b_batch + piece->column;
    for (int64_t at = 0; at < block->rows * width; at += LANES) NAME(store)(product + at, (vector){0});
    for (int64_t k = block->k_start, end = k + block->k_count; k < end;) {
        const int64_t turns = end - k >= 8 ? 8 : 1;
        for (int64_t i = 0; i < block->rows; i++) {
            const T *from = a + i * p->a_row + k * p->a_column;
            T *to = product + i * width;
            if (turns == 8) {
                NAME(stream_rows)(8, piece->columns, from, p->a_column, b + k * p->b_row, p->b_row, to);
            } else {
                NAME(stream_rows)(1, piece->columns, from, p->a_column, b + k * p->b_row, p->b_row, to);
            }
        }
        k += turns;
    }
    for (int64_t at = 0; at < block->rows * width && p->alpha != 1; at++) product[at] *= (T)p->alpha;
}

static void NAME(stream_block)(const matmul_call *call, const matmul_block *block) {
    _Alignas(64) T product[STREAM_SCRATCH];  // 4 KiB of columns for 4 rows, 2 KiB for 8
    const int64_t width = STREAM_SCRATCH / (block->rows > 4 ? 8 : 4);
    const NAME(piece) whole = NAME(whole_block)(block, 1, 1);
    for (int64_t column = 0; column < block->columns; column += width) {
        NAME(piece) piece = whole;
        piece.column = block->column + column;
        piece.columns = NAME(min)(width, block->columns - column);
        NAME(stream_columns)(call, block, &piece, product, width);
        NAME(finish)(call, &piece, product, width);
    }
    NAME(activate)(call, &whole);
}
