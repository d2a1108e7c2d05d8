#include <immintrin.h>
#define CK_VECTOR_BYTES 64
#define CK_FUSED 1
#define CK_TARGET "avx512f,avx512dq,avx512bw,avx512vl,avx2,fma"
