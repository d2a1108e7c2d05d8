/// The loops of the LSTM for one element type. Included with T(), REAL, VECTOR, LANES, ROWS and GRADIENT_ROWS defined.

#define UNROLL _Pragma("clang loop unroll(full)")

CK_INLINE VECTOR T(units_at)(const REAL *p, int64_t count)
{
    return count >= LANES ? T(load)(p) : T(load_part)(p, count, 0);
}
CK_INLINE void T(put_units)(REAL *p, int64_t count, VECTOR value)
{
    if (count >= LANES) T(store)(p, value);
    else T(store_part)(p, count, value);
}

// MARK: Forward. A block is one vector of units with their four gates.

/// [k][gate][unit] of the block, zeros past the last unit.
static void T(pack_gates)(const ck_lstm_packing *packing, int64_t block)
{
    int64_t hidden = packing->hidden, first = block * LANES;
    const REAL *weight = packing->weight;
    REAL *packed = (REAL *)packing->packed + first * 4 * hidden;
    // A few k at a time, so that what is written stays in the cache.
    for (int64_t begin = 0; begin < hidden; begin += 16) {
        int64_t end = begin + 16 < hidden ? begin + 16 : hidden;
        for (int64_t column = 0; column < 4 * LANES; column++) {
            int64_t unit = first + column % LANES;
            const REAL *row = weight + (column / LANES * hidden + unit) * hidden;
            for (int64_t k = begin; k < end; k++) packed[k * 4 * LANES + column] = unit < hidden ? row[k] : 0;
        }
    }
}

/// What the inputs and the state give the four gates, for a few rows.
CK_INLINE void T(gate_sums)(const int rows, int64_t hidden, const REAL *packed, const REAL *gates, const REAL *state,
                            int64_t count, VECTOR sums[ROWS][4])
{
    VECTOR sum[ROWS][4];
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int gate = 0; gate < 4; gate++)
            sum[r][gate] = T(units_at)(gates + (4 * r + gate) * hidden, count);
    }
    for (int64_t k = 0; k < hidden; k++) {
        VECTOR w[4];
        UNROLL for (int gate = 0; gate < 4; gate++) w[gate] = T(load)(packed + (4 * k + gate) * LANES);
        UNROLL for (int r = 0; r < rows; r++) {
            VECTOR h = T(splat)(state[r * hidden + k]);
            UNROLL for (int gate = 0; gate < 4; gate++) sum[r][gate] = MADD(h, w[gate], sum[r][gate]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        UNROLL for (int gate = 0; gate < 4; gate++) sums[r][gate] = sum[r][gate];
    }
}

static void T(forward)(const ck_lstm_step *s, int64_t block)
{
    int64_t hidden = s->hidden, first = block * LANES, count = hidden - first;
    const REAL *packed = (const REAL *)s->packed + first * 4 * hidden;
    int64_t groups = (s->batch + ROWS - 1) / ROWS;
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = s->batch * group / groups, rows = s->batch * (group + 1) / groups - begin;
        REAL *gates = (REAL *)s->gates + begin * 4 * hidden + first;
        const REAL *state = (const REAL *)s->output_before + begin * hidden;
        VECTOR sums[ROWS][4];
        switch (rows) {
        case 1: T(gate_sums)(1, hidden, packed, gates, state, count, sums); break;
        case 2: T(gate_sums)(2, hidden, packed, gates, state, count, sums); break;
        case 3: T(gate_sums)(3, hidden, packed, gates, state, count, sums); break;
#if ROWS > 3
        case 4: T(gate_sums)(4, hidden, packed, gates, state, count, sums); break;
        case 5: T(gate_sums)(5, hidden, packed, gates, state, count, sums); break;
        case 6: T(gate_sums)(6, hidden, packed, gates, state, count, sums); break;
#endif
        }
        for (int64_t r = 0; r < rows; r++) {
            int64_t place = (begin + r) * hidden + first;
            VECTOR before = T(units_at)((const REAL *)s->cell_before + place, count);
            VECTOR i = T(sigmoid)(sums[r][0]), f = T(sigmoid)(sums[r][1]), g = T(tanh)(sums[r][2]);
            VECTOR o = T(sigmoid)(sums[r][3]), c = MADD(i, g, f * before);
            REAL *row = gates + 4 * r * hidden;
            T(put_units)(row, count, i);
            T(put_units)(row + hidden, count, f);
            T(put_units)(row + 2 * hidden, count, g);
            T(put_units)(row + 3 * hidden, count, o);
            T(put_units)((REAL *)s->cells + place, count, c);
            T(put_units)((REAL *)s->outputs + place, count, o * T(tanh)(c));
        }
    }
}

// MARK: Backward. A block is two vectors of units.

/// [gate and k][unit] of the block, zeros past the last unit.
static void T(pack_units)(const ck_lstm_packing *packing, int64_t block)
{
    int64_t hidden = packing->hidden, first = block * 2 * LANES;
    int64_t count = hidden - first < 2 * LANES ? hidden - first : 2 * LANES;
    const REAL *row = (const REAL *)packing->weight + first;
    REAL *to = (REAL *)packing->packed + first * 4 * hidden;
    for (int64_t k = 0; k < 4 * hidden; k++, row += hidden, to += 2 * LANES) {
        for (int64_t unit = 0; unit < 2 * LANES; unit++) to[unit] = unit < count ? row[unit] : 0;
    }
}

/// Row by row of the step after: its gradients times the weights.
CK_INLINE void T(state_grads)(const int rows, int64_t hidden, const REAL *packed, const REAL *next,
                              VECTOR grads[GRADIENT_ROWS][2])
{
    VECTOR sum[GRADIENT_ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = T(splat)(0);
    for (int64_t k = 0; k < 4 * hidden; k++) {
        VECTOR low = T(load)(packed + k * 2 * LANES), high = T(load)(packed + k * 2 * LANES + LANES);
        UNROLL for (int r = 0; r < rows; r++) {
            VECTOR g = T(splat)(next[r * 4 * hidden + k]);
            sum[r][0] = MADD(g, low, sum[r][0]);
            sum[r][1] = MADD(g, high, sum[r][1]);
        }
    }
    UNROLL for (int r = 0; r < rows; r++) {
        grads[r][0] = sum[r][0];
        grads[r][1] = sum[r][1];
    }
}

/// The gradients of the gates of `count` units at `unit` of a row, from that of the output as far as it comes from the step after.
CK_OUTLINE void T(gate_grads)(const ck_lstm_step *s, int64_t row, int64_t unit, int64_t count, const VECTOR *later)
{
    int64_t hidden = s->hidden, place = row * hidden + unit;
    const REAL *gates = (const REAL *)s->gates + 4 * row * hidden + unit;
    VECTOR i = T(units_at)(gates, count), f = T(units_at)(gates + hidden, count);
    VECTOR g = T(units_at)(gates + 2 * hidden, count), o = T(units_at)(gates + 3 * hidden, count);
    VECTOR before = T(units_at)((const REAL *)s->cell_before + place, count);
    VECTOR t = T(tanh)(T(units_at)((const REAL *)s->cells + place, count));
    VECTOR dh = *later, dc = T(units_at)((REAL *)s->cell_grad + place, count);
    if (s->output_grads) dh += T(units_at)((const REAL *)s->output_grads + place, count);
    if (s->cells_grads) dc += T(units_at)((const REAL *)s->cells_grads + place, count);
    dc = MADD(dh * o, NMADD(t, t, T(splat)(1)), dc);
    REAL *to = (REAL *)s->gate_grads + 4 * row * hidden + unit;
    T(put_units)(to, count, dc * g * i * (1 - i));
    T(put_units)(to + hidden, count, dc * before * f * (1 - f));
    T(put_units)(to + 2 * hidden, count, dc * i * NMADD(g, g, T(splat)(1)));
    T(put_units)(to + 3 * hidden, count, dh * t * o * (1 - o));
    T(put_units)((REAL *)s->cell_grad + place, count, dc * f);
}

static void T(backward)(const ck_lstm_step *s, int64_t block)
{
    int64_t hidden = s->hidden, first = block * 2 * LANES;
    const REAL *packed = (const REAL *)s->packed + first * 4 * hidden;
    int64_t groups = (s->batch + GRADIENT_ROWS - 1) / GRADIENT_ROWS;
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = s->batch * group / groups, rows = s->batch * (group + 1) / groups - begin;
        VECTOR later[GRADIENT_ROWS][2] = {{{0}}};
        const REAL *next = (const REAL *)s->next_grads;
        if (next) {
            next += begin * 4 * hidden;
#define CASE(rows) case rows: T(state_grads)(rows, hidden, packed, next, later); break;
            switch (rows) {
            CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if GRADIENT_ROWS > 6
            CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
            }
#undef CASE
        }
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t half = 0; half < 2 && first + half * LANES < hidden; half++) {
                int64_t unit = first + half * LANES;
                T(gate_grads)(s, begin + r, unit, hidden - unit, &later[r][half]);
            }
        }
    }
}

#undef UNROLL
