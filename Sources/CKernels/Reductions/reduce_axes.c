#include <string.h>

#include "reduce_kernels.h"

const ck_reduce_kernels *ck_reduce_current(void) { return CK_CURRENT_TABLE(ck_reduce); }

static void merge_neighbours(ck_axes *axes)
{
    int kept = 0;
    for (int axis = 0; axis < axes->rank; axis++) {
        if (axes->shape[axis] == 1) continue;
        int64_t length = axes->shape[axis];
        if (kept > 0 && axes->input[kept - 1] == axes->input[axis] * length &&
            axes->output[kept - 1] == axes->output[axis] * length) {
            axes->shape[kept - 1] *= length;
        } else {
            axes->shape[kept++] = length;
        }
        axes->input[kept - 1] = axes->input[axis];
        axes->output[kept - 1] = axes->output[axis];
    }
    axes->rank = kept;
}

ck_axes ck_axes_of(int rank, const int64_t *shape, const int64_t *strides)
{
    ck_axes axes = {.rank = rank, .count = 1};
    for (int axis = rank - 1; axis >= 0; axis--) {
        axes.shape[axis] = shape[axis];
        axes.input[axis] = strides[axis];
        axes.output[axis] = axes.count;
        axes.count *= shape[axis];
    }
    merge_neighbours(&axes);
    return axes;
}

static int64_t distance(int64_t stride) { return stride < 0 ? -stride : stride == 0 ? INT64_MAX : stride; }

static void exchange(int64_t *values, int a, int b)
{
    int64_t value = values[a];
    values[a] = values[b];
    values[b] = value;
}

void ck_axes_sort(ck_axes *axes)
{
    for (int end = 1; end < axes->rank; end++) {
        for (int axis = end; axis > 0 && distance(axes->input[axis - 1]) < distance(axes->input[axis]); axis--) {
            exchange(axes->shape, axis - 1, axis);
            exchange(axes->input, axis - 1, axis);
            exchange(axes->output, axis - 1, axis);
        }
    }
    merge_neighbours(axes);
}

void ck_axes_offsets(const ck_axes *axes, int inner, int64_t index, int64_t *input, int64_t *output)
{
    *input = *output = 0;
    for (int axis = axes->rank - 1 - inner; axis >= 0; axis--) {
        int64_t at = axis == 0 ? index : index % axes->shape[axis];
        if (axis > 0) index /= axes->shape[axis];
        *input += at * axes->input[axis];
        *output += at * axes->output[axis];
    }
}

void ck_axes_gather(const ck_axes *axes, int width, int64_t start, int64_t count, void *to, const void *x)
{
    int last = axes->rank - 1;
    int64_t run = last < 0 ? 1 : axes->shape[last], stride = last < 0 ? 0 : axes->input[last];
    char *out = to;
    while (count > 0) {
        int64_t offset, unused, column = start % run, part = run - column < count ? run - column : count;
        ck_axes_offsets(axes, 1, start / run, &offset, &unused);
        const char *from = (const char *)x + (offset + column * stride) * width;
        if (width == 4)
            for (int64_t i = 0; i < part; i++) memcpy(out + i * 4, from + i * stride * 4, 4);
        else
            for (int64_t i = 0; i < part; i++) memcpy(out + i * 8, from + i * stride * 8, 8);
        out += part * width;
        start += part;
        count -= part;
    }
}

// Elements that take some tens of microseconds.
#define BLOCK 65536
// With fewer tasks than this, what is reduced is cut too.
#define ENOUGH_TASKS 16

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
static int64_t quotient_up(int64_t a, int64_t b) { return (a + b - 1) / b; }

int ck_reduce_by_columns(const ck_axes *kept) { return kept->rank > 0 && kept->input[kept->rank - 1] == 1; }

ck_reduce_work ck_reduce_plan(const ck_axes *kept, int64_t count, int64_t tile, int64_t partials, int64_t unit)
{
    int64_t columns = ck_reduce_by_columns(kept) ? kept->shape[kept->rank - 1] : 0;
    ck_reduce_work cut = {.tile = smaller(columns, tile), .tiles = 1, .tasks = kept->count, .splits = 1, .piece = count};
    if (columns) {
        cut.tiles = quotient_up(columns, cut.tile);
        cut.tasks = kept->count / columns * cut.tiles;
    }
    int64_t work = count * (columns ? cut.tile : 1);
    if (cut.tasks < ENOUGH_TASKS && work > BLOCK && kept->count <= partials / 2) {
        cut.splits = smaller(quotient_up(work, BLOCK), partials / kept->count);
        cut.piece = quotient_up(quotient_up(count, cut.splits), unit) * unit;
        cut.splits = quotient_up(count, cut.piece);
    }
    cut.bunch = work * cut.tasks <= BLOCK ? cut.tasks : cut.splits > 1 ? 1 : 1 + (BLOCK - 1) / (work ? work : 1);
    return cut;
}

int64_t ck_reduce_blocks(const ck_reduce_work *cut) { return quotient_up(cut->tasks, cut->bunch); }
