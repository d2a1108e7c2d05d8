#include <immintrin.h>
#define CK_VECTOR_BYTES 32
#define CK_FUSED 1
#define CK_TARGET "avx2,fma"
