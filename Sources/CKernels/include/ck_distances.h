#ifndef CK_DISTANCES_H
#define CK_DISTANCES_H

#include <stdint.h>

/// y[n, i, j] = |a[n, i] - b[n, j]| for the rows of contiguous matrices (rows, width) and (columns, width). The squares of differences are added
/// up in double. With `paired`, where b is a, y has only the distances with i < j, row after row.
typedef struct ck_distances {
    int64_t batch, rows, columns, width;
    int paired;
} ck_distances;

void ck_distances_f32(const ck_distances *p, float *y, const float *a, const float *b);
void ck_distances_f64(const ck_distances *p, double *y, const double *a, const double *b);

#endif
