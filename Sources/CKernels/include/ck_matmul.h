#ifndef CK_MATMUL_H
#define CK_MATMUL_H

#include <stddef.h>
#include <stdint.h>

typedef enum ck_activation {
    CK_IDENTITY, CK_ACTIVATE_RELU, CK_ACTIVATE_TANH, CK_ACTIVATE_SIGMOID, CK_ACTIVATE_GELU, CK_ACTIVATE_GELU_TANH, CK_ACTIVATE_SILU,
} ck_activation;

/// What is done to a piece of C of `rows` by `columns` that is finished, by the thread that made it, while it is in a cache near by.
typedef void (*ck_matmul_finish)(void *context, void *piece, int64_t rows, int64_t columns, int64_t row, int64_t column);

/// C[b] = activation(alpha A[b] B[b] + beta C[b] + bias), for each b of `batch`. A is (m, k), B (k, n), C (m, n); any
/// strides in elements (a transpose is a swap of strides; 0 broadcasts). C never overlaps itself or the inputs. With beta = 0
/// the old C is not read. `bias` is null or has strides of its own (row 0 and column 1 for a bias of n elements).
/// k = 0 gives activation(beta C + bias). `finish`, unless null, is called for pieces of C that make up all of it.
typedef struct ck_matmul {
    int64_t m, n, k, batch;
    int64_t a_row, a_column, a_batch;
    int64_t b_row, b_column, b_batch;
    int64_t c_row, c_column, c_batch;
    int64_t bias_row, bias_column;
    double alpha, beta;
    ck_activation activation;
    void *slope;  // null, or where the derivative of a GELU or SiLU goes: elements and strides as C's
    ck_matmul_finish finish;
    void *finish_context;
} ck_matmul;

/// Bytes of workspace (64-byte aligned by the caller) the product needs, 0 when none.
size_t ck_matmul_workspace_f32(const ck_matmul *p);
size_t ck_matmul_workspace_f64(const ck_matmul *p);
void ck_matmul_f32(const ck_matmul *p, const float *a, const float *b, float *c, const float *bias, void *workspace);
void ck_matmul_f64(const ck_matmul *p, const double *a, const double *b, double *c, const double *bias, void *workspace);

#endif
