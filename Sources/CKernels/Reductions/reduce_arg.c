#include <math.h>

#include "ck_pool.h"
#include "reduce_kernels.h"

#define PARTIALS 1024
// Rows handed to a kernel at once: their positions fit a lane of 32 bits.
#define MOST_ROWS (1 << 30)

typedef struct search {
    const ck_reduce_kernels *kernels;
    int is_double, minimum, width;
    ck_axes kept, reduced;  // the reduced ones stay in order: it decides which of two equals is first
    const char *x;
    int64_t *out;
    ck_reduce_work cut;
    double *extrema;  // with more than one part: (kept, splits), and their positions
    int64_t *positions;
} search;

static double element(const search *s, const char *x, int64_t offset)
{
    return s->is_double ? ((const double *)x)[offset] : (double)((const float *)x)[offset];
}
static int wins(const search *s, double value, double best)
{
    return (s->minimum ? value < best : value > best) || (value != value && best == best);
}

/// The first element of the axes from `start` on with the value.
static int64_t find(const search *s, const char *x, double value, int64_t start)
{
    const ck_axes *axes = &s->reduced;
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last], stride = last < 0 ? 0 : axes->input[last], offset, unused;
    for (;; start += run - start % run) {
        ck_axes_offsets(axes, 1, start / run, &offset, &unused);
        for (int64_t column = start % run; column < run; column++) {
            double here = element(s, x, offset + column * stride);
            if (here == value || (here != here && value != value)) return start - start % run + column;
        }
    }
}

/// A short row: element by element.
#define DEFINE_SCAN(name, type)                                                                  \
    static int64_t name(const type *x, int64_t count, int minimum)                               \
    {                                                                                            \
        int64_t at = 0;                                                                          \
        type best = x[0];                                                                        \
        for (int64_t i = 1; i < count && best == best; i++) {                                    \
            int beyond = (minimum ? x[i] < best : x[i] > best) || x[i] != x[i];                  \
            best = beyond ? x[i] : best;                                                         \
            at = beyond ? i : at;                                                                \
        }                                                                                        \
        return at;                                                                               \
    }
DEFINE_SCAN(scan_floats, float)
DEFINE_SCAN(scan_doubles, double)

/// Leaf by leaf only the extremum; where it is, once, at the end.
static int64_t search_row(const search *s, const char *x, int64_t start, int64_t end, double *extremum)
{
    const ck_axes *axes = &s->reduced;
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last], best_start = start;
    int contiguous = last >= 0 && axes->input[last] == 1 && (run >= 32 || last == 0);
    if (contiguous && last == 0 && end - start <= 32) {
        const char *from = x + start * s->width;
        int64_t at = s->is_double ? scan_doubles((const double *)from, end - start, s->minimum)
                                  : scan_floats((const float *)from, end - start, s->minimum);
        *extremum = element(s, from, at);
        return start + at;
    }
    double best = s->minimum ? INFINITY : -INFINITY;
    _Alignas(64) char stage[512 * 8];
    while (start < end) {
        int64_t count = end - start < 512 ? end - start : 512;
        const void *from = stage;
        if (contiguous) {
            int64_t offset, unused, column = start % run;
            ck_axes_offsets(axes, 1, start / run, &offset, &unused);
            int64_t leaf = CK_REDUCE_LEAF(s->is_double);
            count = run - column < end - start ? run - column : end - start;
            if (count > leaf) count = leaf;
            from = x + (offset + column) * s->width;
        } else {
            ck_axes_gather(axes, s->width, start, count, stage, x);
        }
        double value = s->kernels->leaf[s->is_double][s->minimum ? CK_MIN : CK_MAX](count, from, 0);
        if (wins(s, value, best)) {
            best = value;
            best_start = start;
        }
        start += count;
    }
    *extremum = best;
    return find(s, x, best, best_start);
}

static void search_columns(const search *s, const char *x, int64_t columns, int64_t start, int64_t end,
                           double *extrema, int64_t *positions)
{
    const ck_axes *axes = &s->reduced;
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last], stride = last < 0 ? 0 : axes->input[last];
    for (int64_t j = 0; j < columns; j++) {
        extrema[j] = s->minimum ? INFINITY : -INFINITY;
        positions[j] = start;  // also the answer when all are that infinity
    }
    while (start < end) {
        int64_t offset, unused, column = start % run, rows = run - column;
        if (rows > end - start) rows = end - start;
        if (rows > MOST_ROWS) rows = MOST_ROWS;
        ck_axes_offsets(axes, 1, start / run, &offset, &unused);
        s->kernels->arg_fold[s->is_double][s->minimum](columns, rows, x + (offset + column * stride) * s->width,
                                                       stride, start, extrema, positions);
        start += rows;
    }
}

static void deliver(const search *s, int64_t index, int64_t split, double extremum, int64_t position)
{
    if (s->cut.splits == 1) {
        s->out[index] = position;
        return;
    }
    s->extrema[index * s->cut.splits + split] = extremum;
    s->positions[index * s->cut.splits + split] = position;
}

static void run_task(const search *s, int64_t task, int64_t split)
{
    int64_t start = split * s->cut.piece, end = start + s->cut.piece, input, output;
    if (end > s->reduced.count) end = s->reduced.count;
    if (s->cut.tile == 0) {
        double extremum;
        ck_axes_offsets(&s->kept, 0, task, &input, &output);
        int64_t position = search_row(s, s->x + input * s->width, start, end, &extremum);
        deliver(s, output, split, extremum, position);
        return;
    }
    int last = s->kept.rank - 1;
    int64_t first = task % s->cut.tiles * s->cut.tile, columns = s->kept.shape[last] - first, step = s->kept.output[last];
    if (columns > s->cut.tile) columns = s->cut.tile;
    ck_axes_offsets(&s->kept, 1, task / s->cut.tiles, &input, &output);
    double extrema[CK_ARG_TILE];
    int64_t positions[CK_ARG_TILE];
    search_columns(s, s->x + (input + first) * s->width, columns, start, end, extrema, positions);
    for (int64_t j = 0; j < columns; j++)
        deliver(s, output + (first + j) * step, split, extrema[j], positions[j]);
}

static void run_block(void *context, int64_t block)
{
    const search *s = context;
    int64_t split = block % s->cut.splits, first = block / s->cut.splits * s->cut.bunch, end = first + s->cut.bunch;
    for (int64_t task = first; task < end && task < s->cut.tasks; task++) run_task(s, task, split);
}

static __attribute__((noinline)) void search_in_parts(search *s)
{
    double extrema[PARTIALS];
    int64_t positions[PARTIALS];
    s->extrema = extrema;
    s->positions = positions;
    ck_parallel(s->cut.tasks * s->cut.splits, run_block, s);
    for (int64_t k = 0; k < s->kept.count; k++) {
        int64_t best = k * s->cut.splits;
        for (int64_t part = best + 1; part < (k + 1) * s->cut.splits; part++)
            if (wins(s, extrema[part], extrema[best])) best = part;
        s->out[k] = positions[best];
    }
}

static void arg_extremum(int is_double, int minimum, const ck_reduction_loop *loop, int64_t *out, const void *x)
{
    search s = {.kernels = ck_reduce_current(), .is_double = is_double, .minimum = minimum != 0,
                .width = is_double ? 8 : 4, .x = x, .out = out};
    s.kept = ck_axes_of(loop->kept_rank, loop->kept_shape, loop->kept_strides);
    s.reduced = ck_axes_of(loop->reduced_rank, loop->reduced_shape, loop->reduced_strides);
    if (s.kept.count == 0) return;
    if (s.reduced.count == 0) {
        for (int64_t k = 0; k < s.kept.count; k++) out[k] = 0;
        return;
    }
    ck_axes_sort(&s.kept);
    s.cut = ck_reduce_plan(&s.kept, s.reduced.count, CK_ARG_TILE, PARTIALS, 1);
    int64_t blocks = ck_reduce_blocks(&s.cut);
    if (s.cut.splits > 1) search_in_parts(&s);
    else if (blocks == 1) run_block(&s, 0);
    else ck_parallel(blocks, run_block, &s);
}

void ck_arg_extremum_f32(int minimum, const ck_reduction_loop *loop, int64_t *out, const float *x)
{
    arg_extremum(0, minimum, loop, out, x);
}
void ck_arg_extremum_f64(int minimum, const ck_reduction_loop *loop, int64_t *out, const double *x)
{
    arg_extremum(1, minimum, loop, out, x);
}
