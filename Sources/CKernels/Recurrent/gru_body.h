/// The GRU for one element type. Included by recurrent_body.h.

// A block is two vectors of units.

/// The outputs of `count` units at `unit` of a row, from the products of the state before for the three gates.
CK_OUTLINE void T(gru_units)(const ck_recurrent_step *s, int64_t row, int64_t unit, int64_t count, VECTOR r, VECTOR z, VECTOR q)
{
    int64_t hidden = s->hidden, place = row * hidden + unit;
    REAL *gates = (REAL *)s->gates + 3 * row * hidden + unit;
    if (s->state_bias) {
        const REAL *bias = (const REAL *)s->state_bias + unit;
        r += T(units_at)(bias, count);
        z += T(units_at)(bias + hidden, count);
        q += T(units_at)(bias + 2 * hidden, count);
    }
    const REAL *given = T(given)(s, row, 3) + unit;
    VECTOR x[3];
    UNROLL for (int gate = 0; gate < 3; gate++) {
        x[gate] = T(units_at)(given + gate * hidden, count);
        if (s->bias) x[gate] += T(units_at)((const REAL *)s->bias + gate * hidden + unit, count);
    }
    VECTOR before = T(units_at)((const REAL *)s->output_before + place, count);
    r = T(sigmoid)(x[0] + r);
    z = T(sigmoid)(x[1] + z);
    VECTOR n = T(tanh)(MADD(r, q, x[2]));
    T(put_units)(gates, count, r);
    T(put_units)(gates + hidden, count, z);
    T(put_units)(gates + 2 * hidden, count, n);
    T(put_units)((REAL *)s->cells + place, count, q);
    T(put_units)((REAL *)s->outputs + place, count, MADD(z, before - n, n));
}

static void T(gru_forward)(const ck_recurrent_step *s, int64_t block)
{
    int64_t hidden = s->hidden, first = block * 2 * LANES;
    const REAL *packed = (const REAL *)s->packed + first * 3 * hidden;
    int64_t groups = (s->batch + ROWS - 1) / ROWS;
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = s->batch * group / groups, rows = s->batch * (group + 1) / groups - begin;
        const REAL *state = (const REAL *)s->output_before + begin * hidden;
        VECTOR sums[3][ROWS][2];
        for (int gate = 0; gate < 3; gate++)
            T(products)(rows, hidden, packed + gate * hidden * 2 * LANES, state, 0, 0, sums[gate]);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t half = 0; half < 2 && first + half * LANES < hidden; half++) {
                int64_t unit = first + half * LANES;
                T(gru_units)(s, begin + r, unit, hidden - unit, sums[0][r][half], sums[1][r][half], sums[2][r][half]);
            }
        }
    }
}

/// As `unit_grads` says: of what entered from the input and of what entered from the state.
CK_OUTLINE void T(gru_gate_grads)(const ck_recurrent_step *s, int64_t row, int64_t unit, int64_t count, const VECTOR *later)
{
    int64_t hidden = s->hidden, place = row * hidden + unit;
    const REAL *gates = (const REAL *)s->gates + 3 * row * hidden + unit;
    VECTOR r = T(units_at)(gates, count), z = T(units_at)(gates + hidden, count), n = T(units_at)(gates + 2 * hidden, count);
    VECTOR q = T(units_at)((const REAL *)s->cells + place, count);
    VECTOR before = T(units_at)((const REAL *)s->output_before + place, count);
    VECTOR dh = *later + T(units_at)((const REAL *)s->before_grad + place, count);
    dh += T(units_at)((const REAL *)s->output_grads + place, count);
    VECTOR dn = dh * (1 - z) * NMADD(n, n, T(splat)(1));
    VECTOR dz = dh * (before - n) * z * (1 - z), dr = dn * q * r * (1 - r);
    REAL *of_input = (REAL *)s->input_grads + 3 * row * hidden + unit, *of_state = (REAL *)s->gate_grads + 3 * row * hidden + unit;
    T(put_units)(of_input, count, dr);
    T(put_units)(of_input + hidden, count, dz);
    T(put_units)(of_input + 2 * hidden, count, dn);
    T(put_units)(of_state, count, dr);
    T(put_units)(of_state + hidden, count, dz);
    T(put_units)(of_state + 2 * hidden, count, dn * r);
    T(put_units)((REAL *)s->before_grad + place, count, dh * z);
}

static void T(gru_backward)(const ck_recurrent_step *s, int64_t block) { T(backward_block)(s, block, 3, T(gru_gate_grads)); }
