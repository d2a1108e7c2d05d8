#include "elementwise_kernels.h"

#include <string.h>

#include "ck_pool.h"

// Elements gathered at a time when a kernel cannot read or write an operand where it lies.
#define STAGE 256

typedef struct nest {
    const ck_row_operation *operation;
    const ck_loop *loop;
    char *base[4];
    int64_t total, row;        // elements of the nest and of its innermost axis
    int64_t step[4];           // the innermost strides, in bytes
    unsigned broadcast, staged;  // operands (bits) that are one element per row; that need staging
} nest;

static void gather(int width, int64_t count, char *to, int64_t to_step, const char *from, int64_t from_step)
{
#define GATHER(type)                                                                             \
    for (int64_t i = 0; i < count; i++) memcpy(to + i * to_step, from + i * from_step, sizeof(type))
    switch (width) {
    case 1: GATHER(uint8_t); break;
    case 2: GATHER(uint16_t); break;
    case 4: GATHER(uint32_t); break;
    default: GATHER(uint64_t); break;
    }
#undef GATHER
}

static void run_staged_row(const nest *nest, int64_t count, char *const pointers[4])
{
    const ck_row_operation *operation = nest->operation;
    _Alignas(64) char stage[4][STAGE * 8];
    for (int64_t start = 0; start < count; start += STAGE) {
        int64_t part = count - start < STAGE ? count - start : STAGE;
        void *at[4] = {0};
        for (int k = 0; k < operation->operands; k++) {
            char *here = pointers[k] + start * nest->step[k];
            at[k] = nest->staged >> k & 1 ? stage[k] : here;
            if (k > 0 && at[k] != here)
                gather(operation->width[k], part, stage[k], operation->width[k], here, nest->step[k]);
        }
        operation->kernel(part, at, nest->broadcast, operation->parameter);
        if (nest->staged & 1)
            gather(operation->width[0], part, pointers[0] + start * nest->step[0], nest->step[0], stage[0],
                   operation->width[0]);
    }
}

/// Elements start..<end of the nest in row-major order.
static void run_range(const nest *nest, int64_t start, int64_t end)
{
    const ck_loop *loop = nest->loop;
    const ck_row_operation *operation = nest->operation;
    int64_t index[CK_MAX_RANK] = {0}, column = start % nest->row, row = start / nest->row;
    char *at[4] = {nest->base[0], nest->base[1], nest->base[2], nest->base[3]};
    for (int axis = loop->rank - 2; axis >= 0; axis--) {
        index[axis] = row % loop->shape[axis];
        row /= loop->shape[axis];
        for (int k = 0; k < operation->operands; k++)
            at[k] += index[axis] * loop->strides[k][axis] * operation->width[k];
    }
    for (int64_t done = start; done < end;) {
        int64_t count = nest->row - column < end - done ? nest->row - column : end - done;
        void *here[4];
        for (int k = 0; k < 4; k++) here[k] = at[k] + column * nest->step[k];
        if (nest->staged) run_staged_row(nest, count, (char **)here);
        else operation->kernel(count, here, nest->broadcast, operation->parameter);
        done += count;
        column = 0;
        for (int axis = loop->rank - 2; axis >= 0; axis--) {
            int64_t back = ++index[axis] < loop->shape[axis] ? 0 : loop->shape[axis];
            for (int k = 0; k < operation->operands; k++)
                at[k] += (1 - back) * loop->strides[k][axis] * operation->width[k];
            if (!back) break;
            index[axis] = 0;
        }
    }
}

static void run_block(void *context, int64_t block)
{
    const nest *nest = context;
    int64_t size = nest->operation->block, start = block * size;
    run_range(nest, start, nest->total - start < size ? nest->total : start + size);
}

void ck_run_rows(const ck_row_operation *operation, const ck_loop *loop, void *const pointers[4])
{
    int inner = loop->rank - 1;
    nest nest = {.operation = operation, .loop = loop, .total = 1, .row = inner < 0 ? 1 : loop->shape[inner]};
    for (int axis = 0; axis < loop->rank; axis++) nest.total *= loop->shape[axis];
    if (nest.total == 0) return;
    for (int k = 0; k < operation->operands; k++) {
        int64_t stride = nest.row == 1 ? 1 : loop->strides[k][inner];
        nest.base[k] = pointers[k];
        nest.step[k] = stride * operation->width[k];
        if (stride == 0 && (operation->may_broadcast >> k & 1)) nest.broadcast |= 1u << k;
        else if (stride != 1) nest.staged |= 1u << k;
    }
    if (nest.total <= operation->block) {
        if (nest.total == nest.row && !nest.staged)
            operation->kernel(nest.row, pointers, nest.broadcast, operation->parameter);
        else run_range(&nest, 0, nest.total);
        return;
    }
    ck_parallel((nest.total + operation->block - 1) / operation->block, run_block, &nest);
}
