/// The loops of recurrent networks for one element type: included by both_reals.h, with ROWS, the rows of a tile.

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

/// What the input gives to the gates of a row.
CK_INLINE const REAL *T(given)(const ck_recurrent_step *s, int64_t row, const int gates)
{
    int64_t width = gates * s->hidden;
    return s->places ? (const REAL *)s->table + s->places[row] * width : (const REAL *)s->gates + row * width;
}

CK_INLINE void T(add_products)(const int rows, int64_t depth, int64_t k, const REAL *packed, const REAL *x, VECTOR sum[ROWS][2])
{
    VECTOR low = T(load)(packed + k * 2 * LANES), high = T(load)(packed + k * 2 * LANES + LANES);
    UNROLL for (int r = 0; r < rows; r++) {
        VECTOR value = T(splat)(x[r * depth + k]);
        sum[r][0] = MADD(value, low, sum[r][0]);
        sum[r][1] = MADD(value, high, sum[r][1]);
    }
}

/// The products of a few rows of x, each `depth` long, with two vectors of columns that lie [k][column]. Meanwhile `count` lines of memory that
/// are needed afterwards are asked for, one at each k.
CK_INLINE void T(row_products)(const int rows, int64_t depth, const REAL *packed, const REAL *x, const REAL *const *lines, int64_t count,
                               VECTOR sums[ROWS][2])
{
    VECTOR sum[ROWS][2];
    UNROLL for (int r = 0; r < rows; r++) sum[r][0] = sum[r][1] = T(splat)(0);
    int64_t k = 0;
    for (; k < count && k < depth; k++) {
        __builtin_prefetch(lines[k]);
        T(add_products)(rows, depth, k, packed, x, sum);
    }
    for (; k < depth; k++) T(add_products)(rows, depth, k, packed, x, sum);
    UNROLL for (int r = 0; r < rows; r++) {
        sums[r][0] = sum[r][0];
        sums[r][1] = sum[r][1];
    }
}

CK_OUTLINE void T(products)(int64_t rows, int64_t depth, const REAL *packed, const REAL *x, const REAL *const *lines, int64_t count,
                            VECTOR sums[ROWS][2])
{
#define CASE(rows) case rows: T(row_products)(rows, depth, packed, x, lines, count, sums); break;
    switch (rows) {
    CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if ROWS > 6
    CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
    }
#undef CASE
}

/// For the products with the state before. Of the block's columns, gate by gate with the units of each, two vectors go together:
/// [two vectors][k][column], zeros past the last unit.
static void T(pack_gates)(const ck_recurrent_packing *packing, int64_t block)
{
    int64_t hidden = packing->hidden, gates = packing->gates, units = packing->units, first = block * units;
    int64_t side = 16 / (int64_t)sizeof(REAL), whole = hidden / side * side;
    for (int64_t column = 0; column < gates * units; column += side) {
        int64_t gate = column / units, unit = first + column % units;
        const REAL *row = (const REAL *)packing->weight + (gate * hidden + unit) * hidden;
        REAL *to = (REAL *)packing->packed + (first * gates + column / (2 * LANES) * 2 * LANES) * hidden + column % (2 * LANES);
        int64_t k = 0;
        for (; k < whole && unit + side <= hidden; k += side)
            T(transpose_square)(to + k * 2 * LANES, 2 * LANES, row + k, hidden);
        for (; k < hidden; k++) {
            for (int64_t i = 0; i < side; i++) to[k * 2 * LANES + i] = unit + i < hidden ? row[i * hidden + k] : 0;
        }
    }
}

/// For the products with the gradients of the gates: [gate and k][unit] of the block, two vectors of units, zeros past the last.
static void T(pack_units)(const ck_recurrent_packing *packing, int64_t block)
{
    int64_t hidden = packing->hidden, depth = packing->gates * hidden, first = block * 2 * LANES;
    int64_t count = hidden - first < 2 * LANES ? hidden - first : 2 * LANES;
    const REAL *row = (const REAL *)packing->weight + first;
    REAL *to = (REAL *)packing->packed + first * depth;
    for (int64_t k = 0; k < depth; k++, row += hidden, to += 2 * LANES) {
        for (int64_t unit = 0; unit < 2 * LANES; unit++) to[unit] = unit < count ? row[unit] : 0;
    }
}

#define MOST_LINES (ROWS * 2 * (3 * 4 + 4))

/// Where the gradients of some rows will read and write two vectors of units. Answers how many places there are.
CK_INLINE int64_t T(list_lines)(const REAL **lines, const ck_recurrent_step *s, int64_t begin, int64_t rows, int64_t first, const int gates)
{
    const void *of_gates[] = {s->gates, s->gate_grads, s->input_grads};
    const void *before = gates == 4 ? s->cell_before : s->output_before;  // the LSTM's cells
    const void *of_units[] = {s->cells, before, s->output_grads, s->cells_grads};
    int64_t hidden = s->hidden, count = 0;
    for (int64_t row = begin; row < begin + rows; row++) {
        for (int64_t unit = first; unit < first + 2 * LANES && unit < hidden; unit += LANES) {
            for (int i = 0; i < 3; i++) {
                for (int gate = 0; gate < gates && of_gates[i]; gate++)
                    lines[count++] = (const REAL *)of_gates[i] + (row * gates + gate) * hidden + unit;
            }
            for (int i = 0; i < 4; i++) {
                if (of_units[i]) lines[count++] = (const REAL *)of_units[i] + row * hidden + unit;
            }
        }
    }
    return count;
}

/// The gradients of what entered the gates of `count` units at `unit` of a row, from that of the output as far as it comes from the step after.
typedef void T(unit_grads)(const ck_recurrent_step *s, int64_t row, int64_t unit, int64_t count, const VECTOR *later);

/// A step back for a block of two vectors of units.
CK_INLINE void T(backward_block)(const ck_recurrent_step *s, int64_t block, const int gates, T(unit_grads) *unit_grads)
{
    int64_t hidden = s->hidden, depth = gates * hidden, first = block * 2 * LANES;
    const REAL *packed = (const REAL *)s->packed + first * depth;
    int64_t groups = (s->batch + ROWS - 1) / ROWS;
    for (int64_t group = 0; group < groups; group++) {
        int64_t begin = s->batch * group / groups, rows = s->batch * (group + 1) / groups - begin;
        const REAL *lines[MOST_LINES];
        int64_t count = T(list_lines)(lines, s, begin, rows, first, gates);
        // What comes from the step after: its gradients times the weights.
        VECTOR later[ROWS][2] = {{{0}}};
        const REAL *next = (const REAL *)s->next_grads;
        if (next) T(products)(rows, depth, packed, next + begin * depth, lines, count, later);
        for (int64_t r = 0; r < rows; r++) {
            for (int64_t half = 0; half < 2 && first + half * LANES < hidden; half++) {
                int64_t unit = first + half * LANES;
                unit_grads(s, begin + r, unit, hidden - unit, &later[r][half]);
            }
        }
    }
}

#include "lstm_body.h"
#include "gru_body.h"

#undef MOST_LINES
#undef UNROLL
