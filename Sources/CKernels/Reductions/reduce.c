#include <math.h>

#include "ck_pool.h"
#include "reduce_kernels.h"

// The partial results a cut reduction may keep.
#define PARTIALS 8192
// Rows folded into a set of accumulators before it joins the next set, and so on: the error grows with the sum of
// the sets' lengths instead of the product.
#define FOLD 32
#define FOLD_SETS 5

typedef struct reduction {
    const ck_reduce_kernels *kernels;
    int is_double, op, width;
    ck_axes kept, reduced;
    const char *x;
    const void *center;  // squared deviations
    void *out;
    ck_reduce_work cut;
    double *partials;  // with more than one part: (kept, splits)
} reduction;

static const double identities[] = {
    [CK_SUM] = 0, [CK_SUM_SQUARES] = 0, [CK_SUM_NUMBERS] = 0, [CK_PROD] = 1, [CK_MAX] = -INFINITY, [CK_MIN] = INFINITY,
    [CK_SQUARED_DEVIATIONS] = 0,
};

static double combine(int op, double a, double b)
{
    switch (op) {
    case CK_PROD: return a * b;
    case CK_MAX: return a != a || a > b ? a : b;
    case CK_MIN: return a != a || a < b ? a : b;
    default: return a + b;
    }
}

/// Numbers that come one by one, combined pairwise: level k holds 2^k of them.
typedef struct pairwise {
    double level[64];
    uint64_t count;
} pairwise;

static void add_number(pairwise *sum, int op, double value)
{
    int k = 0;
    for (; sum->count >> k & 1; k++) value = combine(op, sum->level[k], value);
    sum->level[k] = value;
    sum->count++;
}
static double total(const pairwise *sum, int op)
{
    double value = identities[op];
    for (int k = 0; sum->count >> k; k++)
        if (sum->count >> k & 1) value = combine(op, sum->level[k], value);
    return value;
}

static double center_at(const reduction *r, int64_t index)
{
    if (!r->center) return 0;
    return r->is_double ? ((const double *)r->center)[index] : (double)((const float *)r->center)[index];
}

static void deliver(const reduction *r, int64_t index, int64_t split, double value)
{
    if (r->partials) r->partials[index * r->cut.splits + split] = value;
    else if (r->is_double) ((double *)r->out)[index] = value;
    else ((float *)r->out)[index] = (float)value;
}

/// Elements start..<end of the reduced axes for one kept element.
static double reduce_row(const reduction *r, const char *x, double center, int64_t start, int64_t end)
{
    const ck_axes *axes = &r->reduced;
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last];
    int contiguous = last >= 0 && axes->input[last] == 1 && (run >= 32 || last == 0);
    int64_t leaf = CK_REDUCE_LEAF(r->is_double);
    if (contiguous && last == 0 && end - start <= leaf)
        return r->kernels->leaf[r->is_double][r->op](end - start, x + start * r->width, center);
    _Alignas(64) char stage[512 * 8];
    pairwise sum;
    sum.count = 0;
    while (start < end) {
        int64_t count = end - start < 512 ? end - start : 512;
        const void *from = stage;
        if (contiguous) {
            int64_t offset, unused, column = start % run;
            ck_axes_offsets(axes, 1, start / run, &offset, &unused);
            count = run - column < end - start ? run - column : end - start;
            if (count > leaf) count = leaf;
            from = x + (offset + column) * r->width;
        } else {
            ck_axes_gather(axes, r->width, start, count, stage, x);
        }
        add_number(&sum, r->op, r->kernels->leaf[r->is_double][r->op](count, from, center));
        start += count;
    }
    return total(&sum, r->op);
}

static void clear(double *set, int64_t count, double value)
{
    for (int64_t j = 0; j < count; j++) set[j] = value;
}

/// The same for `columns` neighbouring kept elements at once; the result is in sets[0].
static void reduce_columns(const reduction *r, const char *x, int64_t columns, const double *center, int64_t start,
                           int64_t end, double (*sets)[CK_REDUCE_TILE])
{
    const ck_axes *axes = &r->reduced;
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last], stride = last < 0 ? 0 : axes->input[last];
    int64_t held[FOLD_SETS] = {0};
    for (int k = 0; k < FOLD_SETS; k++) clear(sets[k], columns, identities[r->op]);
    while (start < end) {
        int64_t offset, unused, column = start % run, rows = run - column;
        if (rows > end - start) rows = end - start;
        if (rows > FOLD - held[0]) rows = FOLD - held[0];
        ck_axes_offsets(axes, 1, start / run, &offset, &unused);
        r->kernels->fold[r->is_double][r->op](columns, rows, x + (offset + column * stride) * r->width, stride,
                                              sets[0], center);
        start += rows;
        held[0] += rows;
        for (int k = 0; k + 1 < FOLD_SETS && held[k] == FOLD; k++) {
            for (int64_t j = 0; j < columns; j++) sets[k + 1][j] = combine(r->op, sets[k + 1][j], sets[k][j]);
            clear(sets[k], columns, identities[r->op]);
            held[k] = 0;
            held[k + 1]++;
        }
    }
    for (int k = 1; k < FOLD_SETS; k++) {
        if (held[k] == 0) continue;
        for (int64_t j = 0; j < columns; j++) sets[0][j] = combine(r->op, sets[k][j], sets[0][j]);
    }
}

static void run_task(const reduction *r, int64_t task, int64_t split)
{
    int64_t start = split * r->cut.piece, end = start + r->cut.piece, input, output;
    if (end > r->reduced.count) end = r->reduced.count;
    if (r->cut.tile == 0) {
        ck_axes_offsets(&r->kept, 0, task, &input, &output);
        deliver(r, output, split, reduce_row(r, r->x + input * r->width, center_at(r, output), start, end));
        return;
    }
    int last = r->kept.rank - 1;
    int64_t first = task % r->cut.tiles * r->cut.tile, columns = r->kept.shape[last] - first, step = r->kept.output[last];
    if (columns > r->cut.tile) columns = r->cut.tile;
    ck_axes_offsets(&r->kept, 1, task / r->cut.tiles, &input, &output);
    output += first * step;
    _Alignas(64) double sets[FOLD_SETS][CK_REDUCE_TILE], center[CK_REDUCE_TILE] = {0};
    if (r->center)
        for (int64_t j = 0; j < columns; j++) center[j] = center_at(r, output + j * step);
    reduce_columns(r, r->x + (input + first) * r->width, columns, center, start, end, sets);
    for (int64_t j = 0; j < columns; j++) deliver(r, output + j * step, split, sets[0][j]);
}

static void run_block(void *context, int64_t block)
{
    const reduction *r = context;
    int64_t split = block % r->cut.splits, first = block / r->cut.splits * r->cut.bunch, end = first + r->cut.bunch;
    for (int64_t task = first; task < end && task < r->cut.tasks; task++) run_task(r, task, split);
}

static void combine_partials(reduction *r, double *partials)
{
    r->partials = 0;
    for (int64_t k = 0; k < r->kept.count; k++) {
        pairwise sum = {.count = 0};
        for (int64_t split = 0; split < r->cut.splits; split++)
            add_number(&sum, r->op, partials[k * r->cut.splits + split]);
        deliver(r, k, 0, total(&sum, r->op));
    }
}

static __attribute__((noinline)) void run_in_parts(reduction *r)
{
    double partials[PARTIALS];
    r->partials = partials;
    ck_parallel(ck_reduce_blocks(&r->cut) * r->cut.splits, run_block, r);
    combine_partials(r, partials);
}

static void reduce(int is_double, int op, const ck_reduction_loop *loop, void *out, const void *x, const void *center)
{
    reduction r = {.kernels = ck_reduce_current(), .is_double = is_double, .op = op, .width = is_double ? 8 : 4,
                   .x = x, .center = center, .out = out};
    r.kept = ck_axes_of(loop->kept_rank, loop->kept_shape, loop->kept_strides);
    r.reduced = ck_axes_of(loop->reduced_rank, loop->reduced_shape, loop->reduced_strides);
    if (r.kept.count == 0) return;
    if (r.reduced.count == 0) {
        for (int64_t k = 0; k < r.kept.count; k++) deliver(&r, k, 0, identities[op]);
        return;
    }
    ck_axes_sort(&r.kept);
    ck_axes_sort(&r.reduced);
    // Whole sets of rows, or whole leaves.
    int unit = ck_reduce_by_columns(&r.kept) ? FOLD : CK_REDUCE_LEAF(is_double);
    r.cut = ck_reduce_plan(&r.kept, r.reduced.count, CK_REDUCE_TILE, PARTIALS, unit);
    int64_t blocks = ck_reduce_blocks(&r.cut);
    if (r.cut.splits > 1) run_in_parts(&r);
    else if (blocks == 1) run_block(&r, 0);
    else ck_parallel(blocks, run_block, &r);
}

void ck_reduce_f32(ck_reduction op, const ck_reduction_loop *loop, float *out, const float *x)
{
    reduce(0, (int)op, loop, out, x, 0);
}
void ck_reduce_f64(ck_reduction op, const ck_reduction_loop *loop, double *out, const double *x)
{
    reduce(1, (int)op, loop, out, x, 0);
}
void ck_squared_deviations_f32(const ck_reduction_loop *loop, float *out, const float *x, const float *center)
{
    reduce(0, CK_SQUARED_DEVIATIONS, loop, out, x, center);
}
void ck_squared_deviations_f64(const ck_reduction_loop *loop, double *out, const double *x, const double *center)
{
    reduce(1, CK_SQUARED_DEVIATIONS, loop, out, x, center);
}
