#include "elementwise_kernels.h"

#include <string.h>

#include "ck_pool.h"

// What is gathered at a time when a kernel cannot read or write an operand where it lies: this many rows, for an
// operand may be nearer along them, and this many elements in all.
#define STAGE_ROWS 16
#define STAGE 1024
// A block is as much as repays waking a thread; parts of it go to those that are awake.
#define SMALL_PARTS 4

typedef struct nest {
    const ck_row_operation *operation;
    const ck_loop *loop;
    char *base[4];
    int64_t total, row;        // elements of the nest and of its innermost axis
    int64_t block;
    int64_t step[4];           // the innermost strides, in bytes
    int64_t row_step[4];       // the next ones
    unsigned broadcast, staged;  // operands (bits) that are one element per row; that need staging
} nest;

/// A copy of rows x columns elements, along the input's nearer axis first.
static void move(int width, int64_t rows, int64_t columns, char *to, int64_t to_row, int64_t to_column,
                 const char *from, int64_t from_row, int64_t from_column)
{
#define MOVE(type, outer, inner)                                                                 \
    for (int64_t outer = 0; outer < outer##s; outer++)                                           \
        for (int64_t inner = 0; inner < inner##s; inner++)                                       \
            memcpy(to + row * to_row + column * to_column, from + row * from_row + column * from_column, sizeof(type))
    int by_column = rows > 1 && (from_row < 0 ? -from_row : from_row) < (from_column < 0 ? -from_column : from_column);
    switch (width * 2 + by_column) {
    case 2: MOVE(uint8_t, row, column); break;
    case 3: MOVE(uint8_t, column, row); break;
    case 4: MOVE(uint16_t, row, column); break;
    case 5: MOVE(uint16_t, column, row); break;
    case 8: MOVE(uint32_t, row, column); break;
    case 9: MOVE(uint32_t, column, row); break;
    case 16: MOVE(uint64_t, row, column); break;
    default: MOVE(uint64_t, column, row); break;
    }
#undef MOVE
}

static void run_staged_rows(const nest *nest, int64_t rows, int64_t count, char *const pointers[4])
{
    const ck_row_operation *operation = nest->operation;
    unsigned written = 1 | operation->also_written;
    _Alignas(64) char stage[4][STAGE * 8];
    int64_t most = rows == 1 ? STAGE : STAGE / STAGE_ROWS;
    for (int64_t start = 0; start < count; start += most) {
        int64_t part = count - start < most ? count - start : most;
        char *at[4] = {0};
        int64_t row_step[4] = {0};
        for (int k = 0; k < operation->operands; k++) {
            int width = operation->width[k], staged = nest->staged >> k & 1;
            char *here = pointers[k] + start * nest->step[k];
            at[k] = staged ? stage[k] : here;
            row_step[k] = staged ? part * width : nest->row_step[k];
            if (staged && !(written >> k & 1))
                move(width, rows, part, stage[k], part * width, width, here, nest->row_step[k], nest->step[k]);
        }
        for (int64_t row = 0; row < rows; row++) {
            void *row_at[4];
            for (int k = 0; k < 4; k++) row_at[k] = at[k] + row * row_step[k];
            operation->kernel(part, row_at, nest->broadcast, operation->parameter);
        }
        for (int k = 0; k < operation->operands; k++) {
            int width = operation->width[k];
            if (nest->staged & written & 1u << k)
                move(width, rows, part, pointers[k] + start * nest->step[k], nest->row_step[k], nest->step[k], stage[k],
                     part * width, width);
        }
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
        int64_t count = nest->row - column < end - done ? nest->row - column : end - done, rows = 1;
        void *here[4];
        for (int k = 0; k < 4; k++) here[k] = at[k] + column * nest->step[k];
        if (count == nest->row && loop->rank > 1) {
            int axis = loop->rank - 2;
            rows = nest->staged ? STAGE_ROWS : loop->shape[axis];
            if (rows > loop->shape[axis] - index[axis]) rows = loop->shape[axis] - index[axis];
            if (rows * count > end - done) rows = (end - done) / count;
        }
        if (nest->staged) {
            run_staged_rows(nest, rows, count, (char **)here);
        } else {
            for (int64_t row_done = 0; row_done < rows; row_done++) {
                operation->kernel(count, here, nest->broadcast, operation->parameter);
                for (int k = 0; k < 4; k++) here[k] = (char *)here[k] + nest->row_step[k];
            }
        }
        done += rows * count;
        column = 0;
        int64_t by = rows;
        for (int axis = loop->rank - 2; axis >= 0; axis--, by = 1) {
            index[axis] += by;
            int64_t back = index[axis] < loop->shape[axis] ? 0 : loop->shape[axis];
            for (int k = 0; k < operation->operands; k++)
                at[k] += (by - back) * loop->strides[k][axis] * operation->width[k];
            if (!back) break;
            index[axis] = 0;
        }
    }
}

static void run_block(void *context, int64_t block)
{
    const nest *nest = context;
    int64_t size = nest->block, start = block * size;
    run_range(nest, start, nest->total - start < size ? nest->total : start + size);
}

static __attribute__((noinline)) void run_nest(const ck_row_operation *operation, const ck_loop *loop,
                                              void *const pointers[4], int64_t total, unsigned broadcast,
                                              unsigned staged)
{
    int inner = loop->rank - 1;
    nest nest = {.operation = operation, .loop = loop, .total = total, .row = inner < 0 ? 1 : loop->shape[inner],
                 .broadcast = broadcast, .staged = staged};
    for (int k = 0; k < operation->operands; k++) {
        nest.base[k] = pointers[k];
        nest.step[k] = inner < 0 ? 0 : loop->strides[k][inner] * operation->width[k];
        if (inner > 0) nest.row_step[k] = loop->strides[k][inner - 1] * operation->width[k];
    }
    int small = total <= operation->block;
    nest.block = small ? operation->block / SMALL_PARTS : operation->block;
    (small ? ck_parallel_awake : ck_parallel)((total + nest.block - 1) / nest.block, run_block, &nest);
}

void ck_run_rows(const ck_row_operation *operation, const ck_loop *loop, void *const pointers[4])
{
    int inner = loop->rank - 1;
    int64_t total = 1, row = inner < 0 ? 1 : loop->shape[inner];
    for (int axis = 0; axis < loop->rank; axis++) total *= loop->shape[axis];
    if (total == 0) return;
    unsigned broadcast = 0, staged = 0;
    for (int k = 0; row != 1 && k < operation->operands; k++) {
        int64_t stride = loop->strides[k][inner];
        if (stride == 0 && (operation->may_broadcast >> k & 1)) broadcast |= 1u << k;
        else if (stride != 1) staged |= 1u << k;
    }
    // Most calls on small tensors end here.
    if (total == row && total <= operation->block / SMALL_PARTS && !staged)
        operation->kernel(row, pointers, broadcast, operation->parameter);
    else run_nest(operation, loop, pointers, total, broadcast, staged);
}
