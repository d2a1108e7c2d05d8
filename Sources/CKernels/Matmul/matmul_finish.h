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

/// Brings `count` numbers of alpha A B into C, `step` apart there, with all that belongs to the first and the last part of the sum but
/// the activations that are not ReLU. `bias` is null or theirs, `bias_step` apart.
INLINE void NAME(bring)(const matmul_call *call, const NAME(piece) *piece, vector x, T *to, int64_t step, const T *bias,
                        int64_t bias_step, int64_t count) {
    if (!piece->first) {
        x += NAME(gather)(to, step, count);
    } else if (call->p.beta != 0) {
        x += (T)call->p.beta * NAME(gather)(to, step, count);
    }
    if (bias) x += NAME(gather)(bias, bias_step, count);
    if (piece->last && call->p.activation == CK_ACTIVATE_RELU) x = NAME(relu)(x);
    NAME(scatter)(to, x, step, count);
}

static const T *NAME(bias_at)(const matmul_call *call, const NAME(piece) *piece) {
    if (!piece->first || !call->bias) return 0;
    return (const T *)call->bias + piece->row * call->p.bias_row + piece->column * call->p.bias_column;
}

/// Whether a piece of C is alpha A B and nothing else, in rows.
static int NAME(is_plain)(const matmul_call *call, const NAME(piece) *piece) {
    const ck_matmul *p = &call->p;
    return p->c_column == 1 && piece->first && p->beta == 0 && !call->bias
           && !(piece->last && p->activation == CK_ACTIVATE_RELU);
}

/// A piece of the product, its rows `product_row` apart.
static void NAME(finish)(const matmul_call *call, const NAME(piece) *piece, const T *product, int64_t product_row) {
    const ck_matmul *p = &call->p;
    T *c = NAME(c_at)(call, piece);
    const T *bias = NAME(bias_at)(call, piece);
    const int plain = NAME(is_plain)(call, piece);
    for (int64_t i = 0; i < piece->rows; i++, c += p->c_row, product += product_row) {
        int64_t j = 0;
        for (; plain && j + LANES <= piece->columns; j += LANES) NAME(store)(c + j, NAME(load)(product + j));
        for (; j < piece->columns; j += LANES) {
            const int64_t count = NAME(min)(LANES, piece->columns - j);
            const vector x = count == LANES ? NAME(load)(product + j) : NAME(load_some)(product + j, count);
            if (plain) {
                NAME(store_some)(c + j, x, count);
            } else {
                NAME(bring)(call, piece, x, c + j * p->c_column, p->c_column,
                            bias ? bias + i * p->bias_row + j * p->bias_column : 0, p->bias_column, count);
            }
        }
    }
}

/// The same for a C with contiguous columns, `product` in whole vectors: in squares, transposed.
static void NAME(finish_standing)(const matmul_call *call, const NAME(piece) *piece, const T *product,
                                  int64_t product_row) {
    const ck_matmul *p = &call->p;
    T *c = NAME(c_at)(call, piece);
    const T *bias = NAME(bias_at)(call, piece);
    for (int64_t i = 0; i < piece->rows; i += LANES) {
        const int64_t count = NAME(min)(LANES, piece->rows - i);
        for (int64_t j = 0; j < piece->columns; j += LANES) {
            vector square[LANES];
            UNROLL for (int r = 0; r < LANES; r++) {
                square[r] = (vector){0};
                if (r < count) square[r] = NAME(load)(product + (i + r) * product_row + j);
            }
            NAME(transpose_vectors)(square);
            for (int64_t q = 0; q < NAME(min)(LANES, piece->columns - j); q++) {
                NAME(bring)(call, piece, square[q], c + i + (j + q) * p->c_column, 1,
                            bias ? bias + i * p->bias_row + (j + q) * p->bias_column : 0, p->bias_row, count);
            }
        }
    }
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
