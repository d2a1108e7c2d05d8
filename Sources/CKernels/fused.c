#include "ck_fused.h"

#include <string.h>

#include "ck_pool.h"
#include "elementwise_kernels.h"

// All registers together, in bytes: most of the nearest cache, and little enough for the stack of any thread.
#define SCRATCH 32768
// Elements of a tile: enough to make the calls of the kernels cheap.
#define LARGEST_TILE 4096
// Elements worth a thread's while.
#define BLOCK 32768

typedef struct program {
    int steps, operands, rank;
    const ck_fused_step *step;
    const ck_fused_operand *operand;
    const int64_t *shape;
    const ck_elementwise_kernels *kernels;
    int64_t count, tile, register_bytes;
} program;

static ck_row_kernel kernel_of(const ck_elementwise_kernels *kernels, const ck_fused_step *step, int width)
{
    switch ((ck_fused_kind)step->kind) {
    case CK_FUSED_UNARY: return kernels->unary[step->is_double][step->operation];
    case CK_FUSED_BINARY: return kernels->binary[step->is_double][step->operation];
    case CK_FUSED_COMPARE: return kernels->compare[step->is_double][step->operation];
    case CK_FUSED_MULADD: return kernels->muladd[step->is_double];
    case CK_FUSED_SELECT: break;
    }
    return kernels->select[width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3];
}

/// `count` elements of a row into a run.
static void gather_row(int width, int64_t count, char *to, const char *from, int64_t stride)
{
    if (stride == 1) {
        memcpy(to, from, (size_t)(count * width));
        return;
    }
#define GATHER(type)                                                                             \
    do {                                                                                         \
        type *out = (type *)(void *)to;                                                          \
        const type *in = (const type *)(const void *)from;                                       \
        for (int64_t i = 0; i < count; i++) out[i] = in[i * stride];                             \
    } while (0)
    if (width == 8) GATHER(uint64_t);
    else if (width == 4) GATHER(uint32_t);
    else GATHER(uint8_t);
#undef GATHER
}

/// Elements start..<start + count of a strided operand, in row-major order of the shape.
static void gather(const program *program, const ck_fused_operand *operand, int64_t start, int64_t count, char *to)
{
    int last = program->rank - 1, width = operand->width;
    int64_t index[CK_MAX_RANK], row = program->shape[last], rest = start / row, column = start % row, offset = 0;
    for (int axis = last - 1; axis >= 0; axis--) {
        index[axis] = rest % program->shape[axis];
        rest /= program->shape[axis];
        offset += index[axis] * operand->strides[axis];
    }
    const char *memory = operand->memory;
    for (int64_t done = 0; done < count; column = 0) {
        int64_t part = row - column < count - done ? row - column : count - done;
        gather_row(width, part, to + done * width, memory + (offset + column * operand->strides[last]) * width,
                   operand->strides[last]);
        done += part;
        for (int axis = last - 1; axis >= 0; axis--) {
            offset += operand->strides[axis];
            if (++index[axis] < program->shape[axis]) break;
            offset -= index[axis] * operand->strides[axis];
            index[axis] = 0;
        }
    }
}

static void run_tile(const program *program, int64_t start, int64_t count, char *scratch)
{
    char *at[CK_FUSED_MAX_OPERANDS];
    unsigned char is_number[CK_FUSED_MAX_OPERANDS];
    for (int k = 0; k < program->operands; k++) {
        const ck_fused_operand *operand = program->operand + k;
        is_number[k] = operand->place == CK_FUSED_NUMBER;
        if (operand->place == CK_FUSED_RUN) at[k] = (char *)operand->memory + start * operand->width;
        else if (is_number[k]) at[k] = operand->memory;
        else at[k] = scratch + operand->number * program->register_bytes;
        if (operand->place == CK_FUSED_STRIDED) gather(program, operand, start, count, at[k]);
    }
    for (int s = 0; s < program->steps; s++) {
        const ck_fused_step *step = program->step + s;
        void *pointers[4];
        unsigned broadcast = 0;
        for (int k = 0; k < 4; k++) {
            pointers[k] = at[step->operands[k]];
            if (k > 0) broadcast |= (unsigned)is_number[step->operands[k]] << k;
        }
        int width = program->operand[step->operands[0]].width;
        kernel_of(program->kernels, step, width)(count, pointers, broadcast, &step->scale);
    }
}

static void run_block(void *context, int64_t block)
{
    const program *program = context;
    _Alignas(64) char scratch[SCRATCH];
    int64_t start = block * BLOCK, end = program->count - start < BLOCK ? program->count : start + BLOCK;
    for (; start < end; start += program->tile)
        run_tile(program, start, end - start < program->tile ? end - start : program->tile, scratch);
}

void ck_fused_run(int steps, const ck_fused_step *step, int operands, const ck_fused_operand *operand, int registers,
                  int rank, const int64_t *shape)
{
    static const int64_t one = 1;
    program program = {.steps = steps, .operands = operands, .rank = rank, .step = step, .operand = operand,
                       .shape = shape, .kernels = ck_elementwise_current(), .count = 1, .tile = LARGEST_TILE};
    if (rank == 0) program.rank = 1, program.shape = &one;
    for (int axis = 0; axis < rank; axis++) program.count *= shape[axis];
    if (program.count == 0) return;
    int widest = 1;
    for (int k = 0; k < operands; k++)
        if (operand[k].width > widest) widest = operand[k].width;
    // A multiple of 64 elements, so that every register begins on a cache line and no block ends inside of a vector.
    while (registers * program.tile * widest > SCRATCH) program.tile /= 2;
    program.register_bytes = program.tile * widest;
    int64_t blocks = (program.count + BLOCK - 1) / BLOCK;
    if (blocks == 1) run_block(&program, 0);
    else ck_parallel(blocks, run_block, &program);
}
