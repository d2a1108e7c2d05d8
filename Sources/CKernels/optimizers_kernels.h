/// What the optimisers need of one instruction set: elements first..<end. Index 0 is float, 1 double.
#ifndef CK_OPTIMIZERS_KERNELS_H
#define CK_OPTIMIZERS_KERNELS_H

#include "ck_optimizers.h"

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

extern const ck_optimizers_kernels ck_optimizers_baseline;
#if defined(__x86_64__)
extern const ck_optimizers_kernels ck_optimizers_avx2;
extern const ck_optimizers_kernels ck_optimizers_avx512;
#endif

#endif
