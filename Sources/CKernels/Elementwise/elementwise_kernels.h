/// Running a kernel for rows over a loop nest.
#ifndef CK_ELEMENTWISE_KERNELS_H
#define CK_ELEMENTWISE_KERNELS_H

#include "ck_elementwise.h"
#include "isa_tables.h"

/// One operation on `count` (1 and up) elements: p[0] is the output, p[1...] the inputs, contiguous, except that an
/// input whose bit 1 << k is in `broadcast` is one element for all. An element's result depends on its inputs alone,
/// never on its place. An input may be the output itself.
typedef void (*ck_row_kernel)(int64_t count, void *const p[4], unsigned broadcast, const void *parameter);

typedef struct ck_row_operation {
    ck_row_kernel kernel;
    const void *parameter;
    int operands;
    uint8_t width[4];        // bytes per element of each operand
    unsigned also_written;   // the operands (bits) besides the output that the kernel writes
    unsigned may_broadcast;  // the inputs (bits) that the kernel takes as one element
    int64_t block;           // elements worth a thread's while
} ck_row_operation;

void ck_run_rows(const ck_row_operation *operation, const ck_loop *loop, void *const pointers[4]);

/// The kernels compiled for one instruction set; the first index is 0 for float, 1 for double.
typedef struct ck_elementwise_kernels {
    ck_row_kernel unary[2][CK_UNARY_COUNT];
    ck_row_kernel with_slope[2][CK_UNARY_COUNT];  // p[0] the value, p[1] the derivative, p[2] x; null where there is none
    ck_row_kernel binary[2][CK_BINARY_COUNT];
    ck_row_kernel compare[2][CK_COMPARISON_COUNT];
    ck_row_kernel muladd[2];      // the scale as parameter
    ck_row_kernel clamp[2], clamp_grad[2];  // two doubles, the bounds, as parameter
    ck_row_kernel nan_to_num[2];  // three doubles as parameter
    ck_row_kernel convert[CK_CONVERSION_COUNT];
    ck_row_kernel select[4];  // 1, 2, 4, 8 bytes
} ck_elementwise_kernels;

CK_DECLARE_TABLES(ck_elementwise_kernels, ck_elementwise);

const ck_elementwise_kernels *ck_elementwise_current(void);

#endif
