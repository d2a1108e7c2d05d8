/// What the distances need of one instruction set.
#ifndef CK_DISTANCES_KERNELS_H
#define CK_DISTANCES_KERNELS_H

#include "ck_distances.h"
#include "isa_tables.h"

/// Rows of a that are compared with a panel of rows of b at a time.
#define DISTANCE_ROWS 64

typedef struct distances_job {
    ck_distances p;
    void *y;
    const void *a, *b;
} distances_job;

typedef struct ck_distances_kernels {
    int64_t panel;  // rows of b
    /// The distances of at most DISTANCE_ROWS rows and a panel of columns of an item of the batch; the index is 0 for float, 1 for double.
    void (*block[2])(const distances_job *job, int64_t item, int64_t first_row, int64_t first_column);
} ck_distances_kernels;

CK_DECLARE_TABLES(ck_distances_kernels, ck_distances);

#endif
