#include <string.h>

#include "ck_elementwise.h"
#include "ck_pool.h"

// Elements a thread takes at a time, and the side of a transposed tile: 16 rows of 4 bytes fill a cache line.
#define BLOCK 131072
#define TILE 16

/// A copy's nest with the axes in the order that suits memory, and its two innermost axes as a plane.
typedef struct copy_plan {
    int width, outer_rank;
    int64_t outer[CK_MAX_RANK], outer_out[CK_MAX_RANK], outer_in[CK_MAX_RANK];
    int64_t rows, columns, out_row, out_column, in_row, in_column;
    int64_t chunk_rows, chunk_columns, row_chunks, column_chunks;  // what is copied at a time of a plane
    int64_t chunks, bunch;                                         // in all; how many a block takes
    char *out;
    const char *in;
} copy_plan;

static int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }

/// rows x columns elements, strides in elements; the output's columns are the nearer ones in memory. A transposed tile
/// goes through a small one of its own: rows at a power of two apart share a cache set, and each line is touched once.
#define DEFINE_PLANE(bits)                                                                       \
    static void transpose_tile_##bits(uint##bits##_t *out, const uint##bits##_t *in, int64_t out_row, \
                                      int64_t in_column)                                         \
    {                                                                                            \
        uint##bits##_t tile[TILE][TILE];                                                         \
        for (int j = 0; j < TILE; j++)                                                           \
            for (int i = 0; i < TILE; i++) tile[i][j] = in[j * in_column + i];                   \
        for (int i = 0; i < TILE; i++) memcpy(out + i * out_row, tile[i], sizeof tile[i]);       \
    }                                                                                            \
    static void copy_tile_##bits(uint##bits##_t *out, const uint##bits##_t *in, int64_t rows, int64_t columns, \
                                 const copy_plan *p)                                             \
    {                                                                                            \
        if (rows == TILE && columns == TILE && p->out_column == 1 && p->in_row == 1) {           \
            transpose_tile_##bits(out, in, p->out_row, p->in_column);                            \
            return;                                                                              \
        }                                                                                        \
        for (int64_t i = 0; i < rows; i++)                                                       \
            for (int64_t j = 0; j < columns; j++)                                                \
                out[i * p->out_row + j * p->out_column] = in[i * p->in_row + j * p->in_column];  \
    }                                                                                            \
    static void copy_plane_##bits(uint##bits##_t *out, const uint##bits##_t *in, int64_t rows, int64_t columns, \
                                  const copy_plan *p)                                            \
    {                                                                                            \
        if (p->out_column == 1 && p->in_column == 1) {                                           \
            for (int64_t i = 0; i < rows; i++)                                                   \
                memcpy(out + i * p->out_row, in + i * p->in_row, (size_t)columns * (bits / 8));  \
        } else if (p->out_column == 1 && p->in_column == 0) {                                    \
            for (int64_t i = 0; i < rows; i++) {                                                 \
                uint##bits##_t value = in[i * p->in_row], *row = out + i * p->out_row;           \
                for (int64_t j = 0; j < columns; j++) row[j] = value;                            \
            }                                                                                    \
        } else if (p->out_column == 1 && (rows == 1 || magnitude(p->in_column) < magnitude(p->in_row))) { \
            for (int64_t i = 0; i < rows; i++) {                                                 \
                uint##bits##_t *restrict row = out + i * p->out_row;                             \
                const uint##bits##_t *restrict first = in + i * p->in_row;                       \
                if (p->in_column == -1)                                                          \
                    for (int64_t j = 0; j < columns; j++) row[j] = first[-j];                    \
                else                                                                             \
                    for (int64_t j = 0; j < columns; j++) row[j] = first[j * p->in_column];      \
            }                                                                                    \
        } else {                                                                                 \
            for (int64_t i = 0; i < rows; i += TILE)                                             \
                for (int64_t j = 0; j < columns; j += TILE)                                      \
                    copy_tile_##bits(out + i * p->out_row + j * p->out_column,                   \
                                     in + i * p->in_row + j * p->in_column, rows - i < TILE ? rows - i : TILE, \
                                     columns - j < TILE ? columns - j : TILE, p);                \
        }                                                                                        \
    }
DEFINE_PLANE(8)
DEFINE_PLANE(16)
DEFINE_PLANE(32)
DEFINE_PLANE(64)

static void copy_chunk(const copy_plan *p, int64_t chunk)
{
    int64_t column = chunk % p->column_chunks * p->chunk_columns, rest = chunk / p->column_chunks;
    int64_t row = rest % p->row_chunks * p->chunk_rows;
    rest /= p->row_chunks;
    int64_t rows = p->rows - row < p->chunk_rows ? p->rows - row : p->chunk_rows;
    int64_t columns = p->columns - column < p->chunk_columns ? p->columns - column : p->chunk_columns;
    int64_t out = row * p->out_row + column * p->out_column, in = row * p->in_row + column * p->in_column;
    for (int axis = p->outer_rank - 1; axis >= 0; axis--) {
        out += rest % p->outer[axis] * p->outer_out[axis];
        in += rest % p->outer[axis] * p->outer_in[axis];
        rest /= p->outer[axis];
    }
    void *to = p->out + out * p->width;
    const void *from = p->in + in * p->width;
    switch (p->width) {
    case 1: copy_plane_8(to, from, rows, columns, p); break;
    case 2: copy_plane_16(to, from, rows, columns, p); break;
    case 4: copy_plane_32(to, from, rows, columns, p); break;
    default: copy_plane_64(to, from, rows, columns, p); break;
    }
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

static void copy_block(void *context, int64_t block)
{
    const copy_plan *p = context;
    int64_t end = smaller(p->chunks, (block + 1) * p->bunch);
    for (int64_t chunk = block * p->bunch; chunk < end; chunk++) copy_chunk(p, chunk);
}

/// The axis not in `taken` along which `strides` moves least (broadcast ones last), or -1.
static int nearest_axis(const ck_loop *loop, const int64_t *strides, int taken)
{
    int best = -1;
    for (int axis = loop->rank - 1; axis >= 0; axis--) {
        if (axis == taken || loop->shape[axis] == 1) continue;
        int64_t here = magnitude(strides[axis]), held = best < 0 ? 0 : magnitude(strides[best]);
        if (best < 0 || (here != 0 && (held == 0 || here < held))) best = axis;
    }
    return best;
}

/// Columns are the axis nearest in the output; rows the one nearest in the input, unless that is the columns too.
static copy_plan make_plan(int width, const ck_loop *loop, void *out, const void *in)
{
    copy_plan p = {.width = width, .rows = 1, .columns = 1, .out_column = 1, .in_column = 1, .out = out, .in = in};
    int column = nearest_axis(loop, loop->strides[0], -1);
    if (column >= 0) {
        p.columns = loop->shape[column];
        p.out_column = loop->strides[0][column];
        p.in_column = loop->strides[1][column];
    }
    int near_in_input = p.in_column == 0 || magnitude(p.in_column) == 1;
    int row = column < 0 ? -1 : nearest_axis(loop, loop->strides[near_in_input ? 0 : 1], column);
    if (row >= 0) {
        p.rows = loop->shape[row];
        p.out_row = loop->strides[0][row];
        p.in_row = loop->strides[1][row];
    }
    for (int axis = 0; axis < loop->rank; axis++) {
        if (axis == column || axis == row || loop->shape[axis] == 1) continue;
        p.outer[p.outer_rank] = loop->shape[axis];
        p.outer_out[p.outer_rank] = loop->strides[0][axis];
        p.outer_in[p.outer_rank++] = loop->strides[1][axis];
    }
    return p;
}

void ck_copy(int width, const ck_loop *loop, void *out, const void *x)
{
    int64_t total = 1;
    for (int axis = 0; axis < loop->rank; axis++) total *= loop->shape[axis];
    if (total == 0 || out == x) return;  // in place means with the same strides
    int contiguous = loop->rank == 0 || (loop->rank == 1 && loop->strides[0][0] == 1 && loop->strides[1][0] == 1);
    if (contiguous && total <= BLOCK) {
        memcpy(out, x, (size_t)total * (size_t)width);
        return;
    }
    copy_plan p = make_plan(width, loop, out, x);
    p.chunk_columns = smaller(p.columns, BLOCK);
    p.chunk_rows = smaller(p.rows, p.columns >= BLOCK ? 1 : (BLOCK / p.columns + TILE - 1) / TILE * TILE);
    int transposed = magnitude(p.in_column) > 1;
    if (transposed && p.chunk_rows < TILE) {
        p.chunk_rows = smaller(p.rows, TILE);
        p.chunk_columns = smaller(p.columns, BLOCK / TILE);
    }
    p.row_chunks = (p.rows + p.chunk_rows - 1) / p.chunk_rows;
    p.column_chunks = (p.columns + p.chunk_columns - 1) / p.chunk_columns;
    p.chunks = p.row_chunks * p.column_chunks;
    for (int axis = 0; axis < p.outer_rank; axis++) p.chunks *= p.outer[axis];
    p.bunch = total <= BLOCK ? p.chunks : 1 + (BLOCK - 1) / (p.chunk_rows * p.chunk_columns);
    int64_t blocks = (p.chunks + p.bunch - 1) / p.bunch;
    if (blocks == 1) copy_block(&p, 0);
    else ck_parallel(blocks, copy_block, &p);
}
