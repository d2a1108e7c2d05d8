/// The kernels of distances_kernels.h for one element type: included by both_reals.h.

/// Places first..<first + depth of a panel of rows, turned: those of all rows side by side; zeros for rows that are missing.
static void T(turn_panel)(int64_t rows, int64_t width, const REAL *b, int64_t first, int64_t depth, double *turned)
{
    for (int64_t j = 0; j < DISTANCE_PANEL; j++)
        for (int64_t k = 0; k < depth; k++) turned[k * DISTANCE_PANEL + j] = j < rows ? b[j * width + first + k] : 0;
}

/// Adds the squared differences of `depth` places of a row from those of a turned panel.
static void T(add_squares)(int64_t depth, const REAL *a, const double *turned, double *sums)
{
    f64v sum[DISTANCE_VECTORS];
    for (int v = 0; v < DISTANCE_VECTORS; v++) sum[v] = load_f64(sums + v * CK_F64_LANES);
    for (int64_t k = 0; k < depth; k++) {
        f64v x = splat_f64((double)a[k]);
        for (int v = 0; v < DISTANCE_VECTORS; v++) {
            f64v difference = x - load_f64(turned + k * DISTANCE_PANEL + v * CK_F64_LANES);
            sum[v] = MADD(difference, difference, sum[v]);
        }
    }
    for (int v = 0; v < DISTANCE_VECTORS; v++) store_f64(sums + v * CK_F64_LANES, sum[v]);
}

static void T(distances_block)(const distances_job *job, int64_t item, int64_t first_row, int64_t first_column)
{
    _Alignas(64) double turned[DISTANCE_DEPTH * DISTANCE_PANEL], sums[DISTANCE_ROWS * DISTANCE_PANEL];
    const ck_distances *p = &job->p;
    const REAL *a = (const REAL *)job->a + (item * p->rows + first_row) * p->width;
    const REAL *b = (const REAL *)job->b + (item * p->columns + first_column) * p->width;
    int64_t rows = p->rows - first_row < DISTANCE_ROWS ? p->rows - first_row : DISTANCE_ROWS;
    int64_t columns = p->columns - first_column < DISTANCE_PANEL ? p->columns - first_column : DISTANCE_PANEL;
    memset(sums, 0, (size_t)(rows * DISTANCE_PANEL) * sizeof *sums);
    for (int64_t first = 0; first < p->width; first += DISTANCE_DEPTH) {
        int64_t depth = p->width - first < DISTANCE_DEPTH ? p->width - first : DISTANCE_DEPTH;
        T(turn_panel)(columns, p->width, b, first, depth, turned);
        for (int64_t i = 0; i < rows; i++)
            T(add_squares)(depth, a + i * p->width + first, turned, sums + i * DISTANCE_PANEL);
    }
    for (int64_t at = 0; at < rows * DISTANCE_PANEL; at += CK_F64_LANES)
        store_f64(sums + at, sqrt_f64(load_f64(sums + at)));
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = first_row + i, start = p->paired && first_column <= row ? row + 1 - first_column : 0;
        int64_t before = p->paired ? row * p->columns - (row + 1) * (row + 2) / 2 : (item * p->rows + row) * p->columns;
        REAL *y = (REAL *)job->y + before + first_column;
        for (int64_t j = start; j < columns; j++) y[j] = (REAL)sums[i * DISTANCE_PANEL + j];
    }
}
