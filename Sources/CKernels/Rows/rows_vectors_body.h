/// Reading, writing and adding up rows by vectors, for one element type: included where both_reals.h includes.

/// Column j on of a row, `filler` in the lanes past its end.
CK_INLINE VECTOR T(columns_at)(const REAL *row, int64_t j, int64_t columns, REAL filler)
{
    return j + LANES <= columns ? T(load)(row + j) : T(load_part)(row + j, columns - j, filler);
}
CK_INLINE void T(put_columns)(REAL *row, int64_t j, int64_t columns, VECTOR value)
{
    if (j + LANES <= columns) T(store)(row + j, value);
    else T(store_part)(row + j, columns - j, value);
}

typedef struct T(row_sum) { f64v part[PARTS]; } T(row_sum);

CK_INLINE void T(add_to_sum)(T(row_sum) *sum, VECTOR x)
{
    for (int h = 0; h < PARTS; h++) sum->part[h] += WIDEN(x, h);
}
CK_INLINE double T(sum_total)(const T(row_sum) *sum)
{
    return total_f64(PARTS == 2 ? sum->part[0] + sum->part[PARTS - 1] : sum->part[0]);
}

// MARK: Towards a softmax

/// A NaN may win or not: the sum of the exponentials finds it anyway.
CK_INLINE VECTOR T(larger)(VECTOR a, VECTOR b) { return a > b ? a : b; }
CK_INLINE REAL T(row_maximum)(const REAL *row, int64_t columns)
{
    VECTOR best = T(columns_at)(row, 0, columns, -INFINITY), more = best;
    int64_t j = LANES;
    for (; j + 2 * LANES <= columns; j += 2 * LANES) {
        best = T(larger)(best, T(load)(row + j));
        more = T(larger)(more, T(load)(row + j + LANES));
    }
    for (; j < columns; j += LANES) best = T(larger)(best, T(columns_at)(row, j, columns, -INFINITY));
    return T(largest)(T(larger)(best, more));
}

/// The sum of e^(x - maximum), which go to `y` unless it is null. Four are added up before they join the sum in double.
CK_INLINE double T(row_exponentials)(const REAL *x, int64_t columns, REAL maximum, REAL *y)
{
    T(row_sum) sum = {0};
    int64_t j = 0;
    for (; j + 4 * LANES <= columns; j += 4 * LANES) {
        VECTOR e[4];
        for (int k = 0; k < 4; k++) {
            e[k] = T(exp)(T(load)(x + j + k * LANES) - maximum);
            if (y) T(store)(y + j + k * LANES, e[k]);
        }
        T(add_to_sum)(&sum, (e[0] + e[1]) + (e[2] + e[3]));
    }
    for (; j < columns; j += LANES) {
        VECTOR e = T(exp)(T(columns_at)(x, j, columns, -INFINITY) - maximum);
        if (y) T(put_columns)(y, j, columns, e);
        T(add_to_sum)(&sum, e);
    }
    return T(sum_total)(&sum);
}
