// One instruction set of convolution_kernels.h.

#if VECTOR_BYTES / REAL_BYTES == 2
#define EVEN_LANES 0, 2
#define ODD_LANES 1, 3
#elif VECTOR_BYTES / REAL_BYTES == 4
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#elif VECTOR_BYTES / REAL_BYTES == 8
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15
#else
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#endif

#include "convolution_columns_body.h"
#include "convolution_direct_body.h"
#include "convolution_product_body.h"
#include "convolution_scatter_body.h"
#include "convolution_weights_body.h"

#undef ISA_NAME
#undef KEEP_ORDER
#undef VECTOR_BYTES
#undef TILE_ROWS
#undef TILE_VECTORS
#undef DOT_ROWS
#undef DOT_COLUMNS
#undef EVEN_LANES
#undef ODD_LANES
#undef LANES
#undef PIECE
#undef PANEL
#undef DOT_STRIDE
#undef DOT_SUMS
