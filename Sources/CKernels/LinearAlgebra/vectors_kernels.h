/// What factorisations need of one instruction set.
#ifndef CK_VECTORS_KERNELS_H
#define CK_VECTORS_KERNELS_H

#include "ck_vectors.h"
#include "isa_tables.h"

typedef struct ck_vectors_kernels {
    double (*dot)(int64_t count, const double *x, const double *y);
    void (*add)(int64_t count, double factor, const double *x, double *y);
    void (*rotate_rows)(int64_t rows, int64_t columns, double *x, int64_t length, const double *turns, double *scratch);
} ck_vectors_kernels;

CK_DECLARE_TABLES(ck_vectors_kernels, ck_vectors);

#endif
