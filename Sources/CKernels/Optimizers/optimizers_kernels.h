/// What the optimisers need of one instruction set: elements first..<end. Index 0 is float, 1 double.
#ifndef CK_OPTIMIZERS_KERNELS_H
#define CK_OPTIMIZERS_KERNELS_H

#include "ck_optimizers.h"
#include "isa_tables.h"

typedef struct ck_sgd_step {
    const ck_sgd *config;
    void *parameter, *buffer;
    const void *gradient;
} ck_sgd_step;

typedef struct ck_adam_step {
    const ck_adam *config;
    double step_size, second_correction;  // learning_rate / (1 - beta1^step), sqrt(1 - beta2^step)
    void *parameter, *m, *v, *maximum;
    const void *gradient;
} ck_adam_step;

typedef struct ck_optimizers_kernels {
    void (*sgd[2])(int64_t first, int64_t end, const ck_sgd_step *step);
    void (*adam[2])(int64_t first, int64_t end, const ck_adam_step *step);
} ck_optimizers_kernels;

CK_DECLARE_TABLES(ck_optimizers_kernels, ck_optimizers);

#endif
