#include "ck_isa.h"

#include <stdatomic.h>

#if defined(__x86_64__)
#include <cpuid.h>
#include <stdint.h>

/// Which register files the operating system saves on a context switch (XCR0). A processor may have instructions
/// that the system does not support: using them then loses registers, or traps.
__attribute__((target("xsave"))) static uint64_t saved_register_state(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static ck_isa detect(void) {
    const uint64_t ymm_state = 0x06, zmm_state = 0xe6;
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(1, &eax, &ebx, &ecx, &edx)) return CK_ISA_BASELINE;
    if (!(ecx & bit_OSXSAVE) || !(ecx & bit_AVX) || !(ecx & bit_FMA)) return CK_ISA_BASELINE;
    const uint64_t saved = saved_register_state();
    if ((saved & ymm_state) != ymm_state) return CK_ISA_BASELINE;
    if (!__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) || !(ebx & bit_AVX2)) return CK_ISA_BASELINE;
    const unsigned wide = bit_AVX512F | bit_AVX512DQ | bit_AVX512BW | bit_AVX512VL;
    if ((saved & zmm_state) != zmm_state || (ebx & wide) != wide) return CK_ISA_AVX2;
    return CK_ISA_AVX512;
}
#else
static ck_isa detect(void) { return CK_ISA_BASELINE; }
#endif

// -1 until first asked; the detection always gives the same answer, so two threads may both make it.
static _Atomic int detected_isa = -1;
static _Atomic int forced_isa = -1;
static _Thread_local int forced_here = -1;

ck_isa ck_isa_detected(void) {
    int isa = atomic_load_explicit(&detected_isa, memory_order_relaxed);
    if (isa < 0) {
        isa = (int)detect();
        atomic_store_explicit(&detected_isa, isa, memory_order_relaxed);
    }
    return (ck_isa)isa;
}

ck_isa ck_isa_current(void) {
    const int isa = forced_here >= 0 ? forced_here : atomic_load_explicit(&forced_isa, memory_order_relaxed);
    return isa < 0 ? ck_isa_detected() : (ck_isa)isa;
}

int ck_isa_force(ck_isa isa) {
    if ((int)isa < (int)CK_ISA_BASELINE || isa > ck_isa_detected()) return 0;
    atomic_store_explicit(&forced_isa, (int)isa, memory_order_relaxed);
    return 1;
}

int ck_isa_force_here(int isa) {
    if (isa > (int)ck_isa_detected()) return 0;
    forced_here = isa;
    return 1;
}

int ck_isa_forced_here(void) { return forced_here; }

const char *ck_isa_name(ck_isa isa) {
    switch (isa) {
    case CK_ISA_BASELINE: return "baseline";
    case CK_ISA_AVX2: return "avx2";
    case CK_ISA_AVX512: return "avx512";
    }
    return "unknown";
}
