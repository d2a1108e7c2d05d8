/// Compiles TEXT for what every machine has: SSE2 on x86-64, NEON (which fuses) on arm64.
#define CK_VECTOR_BYTES 16
#if defined(__aarch64__)
#define CK_FUSED 1
#else
#define CK_FUSED 0
#endif

#include TEXT
