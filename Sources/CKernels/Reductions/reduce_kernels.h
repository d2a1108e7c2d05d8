/// What the reductions need of one instruction set, and the axes of a reduction in the order that suits memory.
#ifndef CK_REDUCE_KERNELS_H
#define CK_REDUCE_KERNELS_H

#include "ck_reduce.h"
#include "isa_tables.h"

// Sum of (x - center)^2, beside the public reductions.
#define CK_SQUARED_DEVIATIONS CK_REDUCTION_COUNT

/// Columns reduced side by side.
#define CK_REDUCE_TILE 256
/// Elements reduced to one number before it joins others pairwise: floats, whose partial sums are exact, or doubles.
#define CK_REDUCE_LEAF(is_double) ((is_double) ? 512 : 2048)
#define CK_ARG_TILE 64

/// Partial results are doubles: of floats they hold exact sums of thousands, and no element is lost by it.
/// Index 0 is float, 1 double.
typedef struct ck_reduce_kernels {
    /// `count` contiguous elements to one number.
    double (*leaf[2][CK_REDUCTION_COUNT + 1])(int64_t count, const void *x, double center);
    /// Folds rows of `columns` contiguous elements, `row_stride` elements apart, into `accumulator`, which has room
    /// for CK_REDUCE_TILE; `center` too has that (squared deviations).
    void (*fold[2][CK_REDUCTION_COUNT + 1])(int64_t columns, int64_t rows, const void *x, int64_t row_stride,
                                            double *accumulator, const double *center);
    /// As fold, keeping the extremum of at most CK_ARG_TILE columns and where it was: row r has the position first + r.
    void (*arg_fold[2][2])(int64_t columns, int64_t rows, const void *x, int64_t row_stride, int64_t first,
                           double *extremum, int64_t *position);
} ck_reduce_kernels;

CK_DECLARE_TABLES(ck_reduce_kernels, ck_reduce);
const ck_reduce_kernels *ck_reduce_current(void);

typedef struct ck_axes {
    int rank;
    int64_t count;  // elements in all
    int64_t shape[CK_MAX_RANK], input[CK_MAX_RANK], output[CK_MAX_RANK];  // strides in elements
} ck_axes;

/// The axes longer than 1, neighbours merged where they can be. Output strides: contiguous.
ck_axes ck_axes_of(int rank, const int64_t *shape, const int64_t *strides);
/// Orders them by input stride, nearest last, and merges again. Broadcast axes come first.
void ck_axes_sort(ck_axes *axes);
/// The offsets of element `index` of the axes but the last `inner` ones.
void ck_axes_offsets(const ck_axes *axes, int inner, int64_t index, int64_t *input, int64_t *output);

/// How the work of a reduction is cut: from sizes alone.
typedef struct ck_reduce_work {
    int64_t tile, tiles;    // columns reduced side by side (0: rows), and such tiles along the last kept axis
    int64_t tasks, bunch;   // tiles in all, and how many a block takes
    int64_t splits, piece;  // parts of the reduced axes, and their length
} ck_reduce_work;

/// Whether the last kept axis lies in memory one element after the other.
int ck_reduce_by_columns(const ck_axes *kept);
/// Tiles of at most `tile` columns; where there are few of them the `count` elements reduced to one are cut too, into multiples of `unit`, with
/// at most `partials` results in all.
ck_reduce_work ck_reduce_plan(const ck_axes *kept, int64_t count, int64_t tile, int64_t partials, int64_t unit);
/// The blocks that the tasks of one part make.
int64_t ck_reduce_blocks(const ck_reduce_work *cut);

/// Copies elements start..<start + count of the axes at `x` (width 4 or 8) to `to`.
void ck_axes_gather(const ck_axes *axes, int width, int64_t start, int64_t count, void *to, const void *x);

#endif
