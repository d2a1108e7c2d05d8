// What happens to a finished piece of a product, for one element type and instruction set: it is brought into C.
// Included by matmul_block.h.

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

INLINE vector NAME(relu)(vector x) { return (vector)((MASK)x & ~(MASK)(x < (vector){0})); }

/// ReLU of whole vectors that a tile has just written.
static void NAME(rectify)(T *c, int64_t c_row, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; i++, c += c_row) {
        for (int64_t j = 0; j < columns; j += LANES) NAME(store)(c + j, NAME(relu)(NAME(load)(c + j)));
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
            if (relu) x = NAME(relu)(x);
            NAME(scatter)(to, x, p->c_column, count);
        }
    }
}

#define TURNED_ROW ((MAX_ROWS + LANES - 1) / LANES * LANES)

/// The same for a tile of a C with contiguous columns, `product` in whole vectors: in squares, transposed.
static void NAME(finish_standing)(const matmul_call *call, const NAME(piece) *piece, const T *product,
                                  int64_t product_row) {
    _Alignas(VECTOR_BYTES) T turned[PANEL * TURNED_ROW];
    for (int64_t i = 0; i < piece->rows; i += LANES) {
        for (int64_t j = 0; j < piece->columns; j += LANES) {
            vector square[LANES];
            UNROLL for (int r = 0; r < LANES; r++) {
                square[r] = (vector){0};
                if (i + r < piece->rows) square[r] = NAME(load)(product + (i + r) * product_row + j);
            }
            NAME(transpose_vectors)(square);
            UNROLL for (int q = 0; q < LANES; q++) NAME(store)(turned + (j + q) * TURNED_ROW + i, square[q]);
        }
    }
    matmul_call other = *call;
    other.p.c_row = call->p.c_column;
    other.p.c_column = call->p.c_row;
    other.p.bias_row = call->p.bias_column;
    other.p.bias_column = call->p.bias_row;
    NAME(piece) there = *piece;
    there.row = piece->column;
    there.column = piece->row;
    there.rows = piece->columns;
    there.columns = piece->rows;
    NAME(finish)(&other, &there, turned, TURNED_ROW);
}

/// What `finish` leaves, over a piece that is done: the activations but ReLU, and what the caller does to it.
static void NAME(activate)(const matmul_call *call, const NAME(piece) *piece) {
    static const ck_unary functions[] = {
        [CK_ACTIVATE_TANH] = CK_TANH, [CK_ACTIVATE_SIGMOID] = CK_SIGMOID, [CK_ACTIVATE_GELU] = CK_GELU,
        [CK_ACTIVATE_GELU_TANH] = CK_GELU_TANH, [CK_ACTIVATE_SILU] = CK_SILU,
    };
    const ck_matmul *p = &call->p;
    T *c = NAME(c_at)(call, piece);
    if (p->activation != CK_IDENTITY && p->activation != CK_ACTIVATE_RELU) {
        ck_loop loop = {.rank = 2, .shape = {piece->rows, piece->columns}};
        for (int operand = 0; operand < 3; operand++) {
            loop.strides[operand][0] = p->c_row;
            loop.strides[operand][1] = p->c_column;
        }
        const ck_unary function = functions[p->activation];
        if (p->slope) {
            APPLY_WITH_SLOPE(function, &loop, c, (T *)p->slope + (c - (T *)call->c), c);
        } else {
            APPLY_UNARY(function, &loop, c, c);
        }
    }
    if (p->finish) p->finish(p->finish_context, c, piece->rows, piece->columns, p->c_row, p->c_column);
}
