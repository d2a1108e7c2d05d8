#ifndef CK_FUSED_H
#define CK_FUSED_H

#include "ck_elementwise.h"

/// Several elementwise operations in one pass: a short program that runs on tile after tile, so that what passes between its steps stays
/// in the nearest cache. The same kernels compute as for single operations, hence the same bits.

typedef enum ck_fused_kind { CK_FUSED_UNARY, CK_FUSED_BINARY, CK_FUSED_COMPARE, CK_FUSED_MULADD, CK_FUSED_SELECT } ck_fused_kind;

/// One operation: the number of the kernel, its operands (the output first) and, for a multiply-add, its scale.
typedef struct ck_fused_step {
    uint8_t kind, is_double, operation;
    uint8_t operands[4];
    double scale;
} ck_fused_step;

typedef enum ck_fused_place {
    CK_FUSED_REGISTER,  // lives for a tile only
    CK_FUSED_RUN,       // one element after the other in memory
    CK_FUSED_NUMBER,    // one element for all
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

/// Runs the steps on all elements of `shape`. An output may be the memory of an input that no later step reads.
void ck_fused_run(int steps, const ck_fused_step *_Nonnull step, int operands, const ck_fused_operand *_Nonnull operand,
                  int registers, int rank, const int64_t *_Nonnull shape);

#endif
