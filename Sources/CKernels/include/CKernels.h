/// The loops of ChainRule that need an instruction set chosen at run time, and the thread pool under them.
///
/// This target allocates no tensor memory and decides nothing about shapes: callers pass pointers, sizes, strides
/// (in elements, never bytes) and workspace. Every result is independent of the number of threads.
#ifndef CKERNELS_H
#define CKERNELS_H

#include "ck_isa.h"
#include "ck_pool.h"
#include "ck_thread.h"
#include "ck_elementwise.h"
#include "ck_integers.h"
#include "ck_fused.h"
#include "ck_reduce.h"
#include "ck_rows.h"
#include "ck_distances.h"
#include "ck_vectors.h"
#include "ck_channels.h"
#include "ck_optimizers.h"
#include "ck_matmul.h"
#include "ck_convolution.h"
#include "ck_pooling.h"
#include "ck_recurrent.h"
#include "ck_attention.h"
#include "ck_quantized.h"

#endif
