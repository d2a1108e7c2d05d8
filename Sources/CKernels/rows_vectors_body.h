/// Reading, writing and adding up rows by vectors, for one element type: included with what rows_body.h asks for.

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
