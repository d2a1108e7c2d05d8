// Lower and wider tiles for the end of rows of an odd number of vectors, one of which alone would load A as often as two. Included by
// matmul_block.h after matmul_tile.h.

#define WIDE_ROWS (MAX_ROWS * VECTORS / WIDE_VECTORS)

TILE(1, 3, 0) TILE(2, 3, 0) TILE(3, 3, 0)
#if MAX_ROWS > 5
TILE(4, 3, 0)
#endif
#if MAX_ROWS > 6
TILE(5, 3, 0)
#endif
#if MAX_ROWS > 8
TILE(6, 3, 0) TILE(7, 3, 0) TILE(8, 3, 0) TILE(9, 3, 0)
#endif

/// By rows - 1. A lies in rows.
static NAME(tile) *const NAME(wide_tiles)[WIDE_ROWS] = {
    NAME(tile_1_3_0), NAME(tile_2_3_0), NAME(tile_3_3_0),
#if MAX_ROWS > 5
    NAME(tile_4_3_0),
#endif
#if MAX_ROWS > 6
    NAME(tile_5_3_0),
#endif
#if MAX_ROWS > 8
    NAME(tile_6_3_0), NAME(tile_7_3_0), NAME(tile_8_3_0), NAME(tile_9_3_0),
#endif
};
