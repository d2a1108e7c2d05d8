// Products of any height and width from the tiles of matmul_tile.h, which comes first.

/// The rows of a register tile when `rows` go in tiles of nearly the same height.
static int64_t NAME(even_rows)(int64_t rows) {
    const int64_t count = (rows + MAX_ROWS - 1) / MAX_ROWS;
    return (rows + count - 1) / count;
}

/// C = A B, or C += A B, as matmul_tile.h: `columns` is a multiple of LANES.
static void NAME(multiply_plane)(int64_t rows, int64_t columns, int64_t k, const T *a, int64_t a_step, int packed, const T *b,
                                 int64_t b_row, T *c, int64_t c_row, int accumulate) {
    const int64_t height = NAME(even_rows)(rows);
    for (int64_t j = 0; j < columns; j += PANEL) {
        const int64_t vectors = columns - j < PANEL ? (columns - j) / LANES : VECTORS;
        for (int64_t i = 0; i < rows; i += height) {
            const int64_t count = rows - i < height ? rows - i : height;
            T *const to = c + i * c_row + j;
            NAME(tiles)[count - 1][vectors - 1][packed](k, a + i * (packed ? 1 : a_step), a_step, b + j, b_row, to, c_row, 1,
                                                        accumulate ? to : 0, c_row);
        }
    }
}
