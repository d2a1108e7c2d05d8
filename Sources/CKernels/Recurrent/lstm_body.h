/// The LSTM for one element type. Included by recurrent_body.h.

// A block is one vector of units with their four gates, which go by pairs.
static void T(lstm_forward)(const ck_recurrent_step *s, int64_t block)
{
    int64_t hidden = s->hidden, first = block * LANES, count = hidden - first;
    const REAL *packed = (const REAL *)s->packed + first * 4 * hidden;
    VECTOR bias[4] = {0};
    for (int gate = 0; gate < 4 && s->bias; gate++)
        bias[gate] = T(units_at)((const REAL *)s->bias + gate * hidden + first, count);
    int64_t groups = (s->batch + ROWS - 1) / ROWS;
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = s->batch * group / groups, rows = s->batch * (group + 1) / groups - begin;
        const REAL *state = (const REAL *)s->output_before + begin * hidden;
        VECTOR sums[2][ROWS][2];
        for (int pair = 0; pair < 2; pair++)
            T(products)(rows, hidden, packed + pair * hidden * 2 * LANES, state, 0, 0, sums[pair]);
        for (int64_t r = 0; r < rows; r++) {
            int64_t place = (begin + r) * hidden + first;
            REAL *row = (REAL *)s->gates + 4 * (begin + r) * hidden + first;
            const REAL *given = T(given)(s, begin + r, 4) + first;
            VECTOR z[4];
            UNROLL for (int gate = 0; gate < 4; gate++)
                z[gate] = T(units_at)(given + gate * hidden, count) + bias[gate] + sums[gate / 2][r][gate % 2];
            VECTOR before = T(units_at)((const REAL *)s->cell_before + place, count);
            VECTOR i = T(sigmoid)(z[0]), f = T(sigmoid)(z[1]), g = T(tanh)(z[2]), o = T(sigmoid)(z[3]);
            VECTOR c = MADD(i, g, f * before);
            T(put_units)(row, count, i);
            T(put_units)(row + hidden, count, f);
            T(put_units)(row + 2 * hidden, count, g);
            T(put_units)(row + 3 * hidden, count, o);
            T(put_units)((REAL *)s->cells + place, count, c);
            T(put_units)((REAL *)s->outputs + place, count, o * T(tanh)(c));
        }
    }
}

/// As `unit_grads` says.
CK_OUTLINE void T(lstm_gate_grads)(const ck_recurrent_step *s, int64_t row, int64_t unit, int64_t count, const VECTOR *later)
{
    int64_t hidden = s->hidden, place = row * hidden + unit;
    const REAL *gates = (const REAL *)s->gates + 4 * row * hidden + unit;
    VECTOR i = T(units_at)(gates, count), f = T(units_at)(gates + hidden, count);
    VECTOR g = T(units_at)(gates + 2 * hidden, count), o = T(units_at)(gates + 3 * hidden, count);
    VECTOR before = T(units_at)((const REAL *)s->cell_before + place, count);
    VECTOR t = T(tanh)(T(units_at)((const REAL *)s->cells + place, count));
    VECTOR dh = *later, dc = T(units_at)((REAL *)s->before_grad + place, count);
    if (s->output_grads) dh += T(units_at)((const REAL *)s->output_grads + place, count);
    if (s->cells_grads) dc += T(units_at)((const REAL *)s->cells_grads + place, count);
    dc = MADD(dh * o, NMADD(t, t, T(splat)(1)), dc);
    REAL *to = (REAL *)s->gate_grads + 4 * row * hidden + unit;
    T(put_units)(to, count, dc * g * i * (1 - i));
    T(put_units)(to + hidden, count, dc * before * f * (1 - f));
    T(put_units)(to + 2 * hidden, count, dc * i * NMADD(g, g, T(splat)(1)));
    T(put_units)(to + 3 * hidden, count, dh * t * o * (1 - o));
    T(put_units)((REAL *)s->before_grad + place, count, dc * f);
}

static void T(lstm_backward)(const ck_recurrent_step *s, int64_t block) { T(backward_block)(s, block, 4, T(lstm_gate_grads)); }
