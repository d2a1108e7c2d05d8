#include "ck_fused.h"

#include <string.h>

#include "ck_pool.h"
#include "integers_kernels.h"
#include "reduce_kernels.h"
#include "rows_kernels.h"

// What a tile takes, in bytes, registers and memory that is read and written: most of the nearest cache.
#define TILE_BYTES 32768
// Elements of a tile: enough to make the calls of the kernels cheap.
#define LARGEST_TILE 4096
#define SMALLEST_TILE 256
// Elements worth a thread's while.
#define BLOCK 32768
// Bytes that do not stay in a cache near by from one pass to the next.
#define LARGE (1 << 20)

typedef struct program {
    int steps, operands, rank;
    const ck_fused_step *step;
    const ck_fused_operand *operand;
    const int64_t *shape;
    const ck_elementwise_kernels *elementwise;
    const ck_rows_kernels *rows;
    int64_t count, columns;  // columns: of a row, or 1
    int64_t tile, block, register_bytes;
    int fetches;  // whether the next tile is brought nearer
} program;

// MARK: Operands

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
    else if (width == 2) GATHER(uint16_t);
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

/// Brings part `part` of `parts` of the tile from `start` nearer: memory is slow to come, and meanwhile the steps compute.
static void fetch(const program *program, int64_t start, int part, int parts)
{
    int64_t count = program->count - start < program->tile ? program->count - start : program->tile;
    for (int k = 0; k < program->operands; k++) {
        const ck_fused_operand *operand = program->operand + k;
        if (operand->place != CK_FUSED_RUN) continue;
        const char *memory = (const char *)operand->memory + start * operand->width;
        int64_t bytes = count * operand->width, end = bytes * (part + 1) / parts;
        for (int64_t at = bytes * part / parts; at < end; at += 64) __builtin_prefetch(memory + at);
    }
}

// MARK: Steps

static ck_row_kernel elementwise_kernel(const ck_elementwise_kernels *kernels, const ck_fused_step *step, int width)
{
    switch ((ck_fused_kind)step->kind) {
    case CK_FUSED_UNARY: return kernels->unary[step->is_double][step->operation];
    case CK_FUSED_WITH_SLOPE: return kernels->with_slope[step->is_double][step->operation];
    case CK_FUSED_BINARY: return kernels->binary[step->is_double][step->operation];
    case CK_FUSED_COMPARE: return kernels->compare[step->is_double][step->operation];
    case CK_FUSED_MULADD: return kernels->muladd[step->is_double];
    case CK_FUSED_CLAMP: return kernels->clamp[step->is_double];
    case CK_FUSED_CLAMP_GRAD: return kernels->clamp_grad[step->is_double];
    case CK_FUSED_CONVERT:
        return CK_CURRENT_TABLE(ck_integers)->convert[step->operation / CK_NUMBER_COUNT][step->operation % CK_NUMBER_COUNT];
    default: return kernels->select[width == 1 ? 0 : width == 2 ? 1 : width == 4 ? 2 : 3];
    }
}

static void run_elementwise(const program *program, const ck_fused_step *step, int64_t count, char *const *at)
{
    void *pointers[4];
    unsigned broadcast = 0;
    for (int k = 0; k < 4; k++) {
        const ck_fused_operand *operand = program->operand + step->operands[k];
        pointers[k] = at[step->operands[k]];
        if (operand->place == CK_FUSED_NUMBER) broadcast |= 1u << k;
    }
    int width = program->operand[step->operands[0]].width;
    elementwise_kernel(program->elementwise, step, width)(count, pointers, broadcast & ~1u, step->parameter);
}

static void run_reduce(const program *program, const ck_fused_step *step, int64_t rows, void *out, const char *x)
{
    int64_t bytes = program->columns * (step->is_double ? 8 : 4);
    for (int64_t i = 0; i < rows; i++) {
        double value = ck_reduce_current()->leaf[step->is_double][step->operation](program->columns, x + i * bytes, 0);
        if (step->is_double) ((double *)out)[i] = value;
        else ((float *)out)[i] = (float)value;
    }
}

static void run_spread(const program *program, const ck_fused_step *step, int64_t rows, void *out, const void *x)
{
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < program->columns; j++)
            if (step->is_double) ((double *)out)[i * program->columns + j] = ((const double *)x)[i];
            else ((float *)out)[i * program->columns + j] = ((const float *)x)[i];
}

static ck_row_arrays row_arrays(const program *program, const ck_fused_step *step, char *const *at)
{
    void *p[CK_FUSED_ROW_OPERANDS];
    for (int k = 0; k < CK_FUSED_ROW_OPERANDS; k++) p[k] = step->operands[k] == CK_FUSED_NONE ? 0 : at[step->operands[k]];
    return (ck_row_arrays){
        .out = p[0], .x = p[1], .other = p[2], .mean = p[3], .rstd = p[4], .weight = p[5], .bias = p[6], .eps = step->parameter[0],
        .sums = p[9], .sums_rows = program->block / program->columns,
    };
}

static void run_step(const program *program, const ck_fused_step *step, int64_t start, int64_t count, char *const *at)
{
    int64_t rows = count / program->columns;
    ck_rows_kernel kernel;
    switch ((ck_fused_kind)step->kind) {
    case CK_FUSED_SPREAD: run_spread(program, step, rows, at[step->operands[0]], at[step->operands[1]]); return;
    case CK_FUSED_REDUCE: run_reduce(program, step, rows, at[step->operands[0]], at[step->operands[1]]); return;
    case CK_FUSED_SOFTMAX: kernel = program->rows->softmax[step->is_double][step->operation]; break;
    case CK_FUSED_SOFTMAX_GRAD: kernel = program->rows->softmax_grad[step->is_double][step->operation]; break;
    case CK_FUSED_LAYER_NORM: kernel = program->rows->layer_norm[step->is_double]; break;
    case CK_FUSED_LAYER_NORM_GRAD: kernel = program->rows->layer_norm_grad[step->is_double]; break;
    default: run_elementwise(program, step, step->on_row_numbers ? rows : count, at); return;
    }
    ck_row_arrays arrays = row_arrays(program, step, at);
    arrays.row = start / program->columns;
    kernel(0, rows, program->columns, &arrays);
}

// MARK: Tiles

static void run_tile(const program *program, int64_t start, int64_t count, char *scratch)
{
    char *at[CK_FUSED_MAX_OPERANDS];
    for (int k = 0; k < program->operands; k++) {
        const ck_fused_operand *operand = program->operand + k;
        char *memory = operand->memory;
        switch ((ck_fused_place)operand->place) {
        case CK_FUSED_RUN: at[k] = memory + start * operand->width; break;
        case CK_FUSED_ROW_RUN: at[k] = memory + start / program->columns * operand->width; break;
        case CK_FUSED_NUMBER: at[k] = memory; break;
        default: at[k] = scratch + operand->number * program->register_bytes;
        }
        if (operand->place == CK_FUSED_STRIDED) gather(program, operand, start, count, at[k]);
    }
    for (int s = 0; s < program->steps; s++) {
        run_step(program, program->step + s, start, count, at);
        if (program->fetches && start + count < program->count) fetch(program, start + count, s, program->steps);
    }
}

static void run_range(const program *program, int64_t start, int64_t end)
{
    _Alignas(64) char scratch[CK_FUSED_SCRATCH];
    for (; start < end; start += program->tile)
        run_tile(program, start, end - start < program->tile ? end - start : program->tile, scratch);
}

static void run_block(void *context, int64_t block)
{
    const program *program = context;
    int64_t start = block * program->block, end = start + program->block;
    run_range(program, start, end < program->count ? end : program->count);
}

/// How the elements are cut: from sizes alone.
static void choose_tile(program *program, int registers, int has_rows)
{
    int64_t widest = 1, width = 0;
    for (int k = 0; k < program->operands; k++) {
        const ck_fused_operand *operand = program->operand + k;
        if (operand->width > widest) widest = operand->width;
        if (operand->place == CK_FUSED_RUN) width += operand->width;
    }
    program->fetches = program->count * width > LARGE;
    int64_t bytes = registers * widest + width;
    if (has_rows) {
        int64_t columns = program->columns, rows = TILE_BYTES / (bytes * columns);
        program->block = ck_rows_block(program->count / columns, columns) * columns;
        while (rows > 1 && registers * (widest * columns * rows + 64) > CK_FUSED_SCRATCH) rows--;
        program->tile = (rows < 1 ? 1 : rows) * columns;
    } else {
        program->block = BLOCK;
        // A multiple of 64 elements, so that every register begins on a cache line and no block ends inside of a vector.
        program->tile = LARGEST_TILE;
        while (program->tile > SMALLEST_TILE && bytes * program->tile > TILE_BYTES) program->tile /= 2;
    }
    program->register_bytes = (program->tile * widest + 63) / 64 * 64;
}

static program make_program(const ck_fused_program *call)
{
    static const int64_t one = 1;
    program made = {.steps = call->steps, .operands = call->operands, .rank = call->rank, .step = call->step,
                    .operand = call->operand, .shape = call->shape, .elementwise = ck_elementwise_current(),
                    .rows = ck_rows_current(), .count = 1};
    if (made.rank == 0) made.rank = 1, made.shape = &one;
    for (int axis = 0; axis < made.rank; axis++) made.count *= made.shape[axis];
    made.columns = call->has_rows ? made.shape[made.rank - 1] : 1;
    if (made.count > 0) choose_tile(&made, call->registers, call->has_rows);
    return made;
}

void ck_fused_run(const ck_fused_program *call)
{
    program program = make_program(call);
    if (program.count == 0) return;
    int64_t blocks = (program.count + program.block - 1) / program.block;
    if (blocks == 1) run_block(&program, 0);
    else ck_parallel(blocks, run_block, &program);
    for (int s = 0; s < program.steps; s++) {
        const ck_fused_step *step = program.step + s;
        if (step->kind != CK_FUSED_LAYER_NORM_GRAD || step->operands[9] == CK_FUSED_NONE) continue;
        ck_row_arrays arrays = {.sums = program.operand[step->operands[9]].memory, .sums_rows = program.block / program.columns};
        ck_layer_norm_grad_finish(step->is_double, program.count / program.columns, program.columns, &arrays,
                                  program.operand[step->operands[7]].memory, program.operand[step->operands[8]].memory);
    }
}

void ck_fused_finish_piece(void *context, void *piece, int64_t rows, int64_t columns, int64_t row, int64_t column)
{
    const ck_fused_finish *finish = context;
    program program = make_program(finish->program);
    program.fetches = 0;
    int64_t first = ((const char *)piece - (const char *)finish->result) / finish->width;
    // Lines of neighbours, whichever way the product turned its result.
    int64_t lines = column == 1 ? rows : columns, length = column == 1 ? columns : rows, apart = column == 1 ? row : column;
    if (apart == length) {
        length *= lines;
        lines = 1;
    }
    for (int64_t line = 0; line < lines; line++) run_range(&program, first + line * apart, first + line * apart + length);
}
