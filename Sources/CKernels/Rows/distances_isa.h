/// The distances for one instruction set: included by isa_baseline.h and its kin with KERNELS, the table's name.
#include "distances_kernels.h"
#include "vector_math.h"

#define DISTANCE_VECTORS 8   // chains of additions side by side
#define DISTANCE_PANEL (DISTANCE_VECTORS * CK_F64_LANES)
#define DISTANCE_DEPTH 64

#define BODY "distances_body.h"
#include "both_reals.h"

const ck_distances_kernels KERNELS = {
    .panel = DISTANCE_PANEL, .block = {distances_block_f32, distances_block_f64},
};
