#ifndef CK_OPTIMIZERS_H
#define CK_OPTIMIZERS_H

#include <stdint.h>

/// One optimiser step over `count` contiguous parameters, in PyTorch's order of operations.
typedef struct ck_sgd {
    double learning_rate, momentum, dampening, weight_decay;
    int32_t nesterov;
    int32_t first;  // the first step: the buffer becomes the gradient
} ck_sgd;
/// `buffer` may be null when momentum is 0.
void ck_sgd_f32(const ck_sgd *config, int64_t count, float *parameter, const float *gradient, float *buffer);
void ck_sgd_f64(const ck_sgd *config, int64_t count, double *parameter, const double *gradient, double *buffer);

typedef struct ck_adam {
    double learning_rate, beta1, beta2, eps, weight_decay;
    int32_t decoupled;  // AdamW: the parameter decays, not the gradient
    int32_t amsgrad;
    int64_t step;       // 1 for the first
} ck_adam;
/// m = first moment, v = second moment; `maximum` holds the running maximum of v for amsgrad, else null.
void ck_adam_f32(const ck_adam *config, int64_t count, float *parameter, const float *gradient, float *m, float *v, float *maximum);
void ck_adam_f64(const ck_adam *config, int64_t count, double *parameter, const double *gradient, double *m, double *v, double *maximum);

#endif
