#ifndef CK_ISA_H
#define CK_ISA_H

/// The instruction sets a kernel may be compiled for. Baseline is what every machine of the architecture has
/// (SSE2 on x86-64, NEON on arm64).
typedef enum ck_isa {
    CK_ISA_BASELINE = 0,
    CK_ISA_AVX2 = 1,    // AVX2 + FMA
    CK_ISA_AVX512 = 2,  // AVX-512 F, DQ, BW, VL
} ck_isa;

/// The widest instruction set this machine has.
ck_isa ck_isa_detected(void);
/// The instruction set kernels use now: the detected one unless another is forced, here or for the process.
ck_isa ck_isa_current(void);
/// Makes every kernel use `isa` (tests). Answers 0 and changes nothing when the machine lacks it, else 1.
int ck_isa_force(ck_isa isa);
/// The same for the kernels that the calling thread starts, for tests that run side by side. A negative number takes it back.
int ck_isa_force_here(int isa);
/// What `ck_isa_force_here` last said, or -1.
int ck_isa_forced_here(void);
/// "baseline", "avx2", "avx512".
const char *ck_isa_name(ck_isa isa);

#endif
