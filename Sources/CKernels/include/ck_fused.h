#ifndef CK_FUSED_H
#define CK_FUSED_H

#include "ck_elementwise.h"
#include "ck_integers.h"

/// Several operations in one pass: a short program that runs on tile after tile, so that what passes between its steps stays in the nearest
/// cache. The same kernels compute as for single operations, hence the same bits. A tile is a run of elements, or with operations on
/// rows a few whole rows.

typedef enum ck_fused_kind {
    // Element by element
    CK_FUSED_UNARY,
    CK_FUSED_WITH_SLOPE,  // two outputs, value and derivative
    CK_FUSED_BINARY,
    CK_FUSED_COMPARE,
    CK_FUSED_MULADD,
    CK_FUSED_SELECT,
    CK_FUSED_CLAMP,
    CK_FUSED_CLAMP_GRAD,
    CK_FUSED_CONVERT,     // operation: from * CK_NUMBER_COUNT + to; never in place
    // Row by row
    CK_FUSED_SPREAD,   // out, x: one number a row, for all elements of the row
    CK_FUSED_REDUCE,   // out, one number a row, and x
    CK_FUSED_SOFTMAX,  // operation 1: the logarithm; operands as in CK_FUSED_ROW_OPERANDS
    CK_FUSED_SOFTMAX_GRAD,
    CK_FUSED_LAYER_NORM,
    CK_FUSED_LAYER_NORM_GRAD,
} ck_fused_kind;

/// The operands of softmax, layer norm and their gradients, in this order: out; x or dy; y or x for a gradient; mean and rstd; weight and bias;
/// dweight, dbias and their workspace of ck_layer_norm_grad_workspace bytes. Those that are not there are CK_FUSED_NONE.
#define CK_FUSED_ROW_OPERANDS 10
#define CK_FUSED_NONE 255

/// One operation: the number of the kernel, its operands (the outputs first), and the scale of a multiply-add, the bounds of a clamp
/// or the eps of a layer norm.
typedef struct ck_fused_step {
    uint8_t kind, is_double, operation;
    uint8_t on_row_numbers;  // an elementwise operation on numbers of which there is one for each row
    uint8_t operands[CK_FUSED_ROW_OPERANDS];
    double parameter[2];
} ck_fused_step;

typedef enum ck_fused_place {
    CK_FUSED_REGISTER,  // lives for a tile only
    CK_FUSED_RUN,       // one element after the other in memory
    CK_FUSED_ROW_RUN,   // in memory too, one element for each row
    CK_FUSED_NUMBER,    // the same for every tile: one element for all, or what an operation on rows reads or writes as a whole
    CK_FUSED_STRIDED,   // anywhere: gathered into a register for each tile
} ck_fused_place;

typedef struct ck_fused_operand {
    uint8_t place, width;  // bytes per element
    uint8_t number;        // of the register, for a register or a strided operand
    void *_Nullable memory;
    int64_t strides[CK_MAX_RANK];  // of a strided operand, in elements, for each axis of the shape
} ck_fused_operand;

#define CK_FUSED_MAX_REGISTERS 16
#define CK_FUSED_MAX_OPERANDS 64
/// With operations on rows: the most bytes that the registers take for one row, each rounded up to 64.
#define CK_FUSED_SCRATCH 65536

/// The steps, what they work on, and the shape. An output may be the memory of an input that no later step reads. `has_rows` says that there are
/// operations on rows, which lie along the last axis.
typedef struct ck_fused_program {
    int steps, operands, registers, has_rows, rank;
    const ck_fused_step *_Nonnull step;
    const ck_fused_operand *_Nonnull operand;
    const int64_t *_Nonnull shape;
} ck_fused_program;

/// Runs the steps on all elements.
void ck_fused_run(const ck_fused_program *_Nonnull program);

/// Steps without operations on rows that run on the result of a product, contiguous and of their shape, piece by piece.
typedef struct ck_fused_finish {
    const ck_fused_program *_Nonnull program;
    const void *_Nonnull result;
    int64_t width;  // bytes per element of the result
} ck_fused_finish;

/// A `finish` of ck_matmul whose context is a ck_fused_finish.
void ck_fused_finish_piece(void *_Nullable context, void *_Nullable piece, int64_t rows, int64_t columns, int64_t row,
                           int64_t column);

#endif
