/// Each family of kernels has one table of functions for each instruction set, `NAME_baseline` and so on, made by compiling one text with
/// isa_baseline.h, isa_avx2.h and isa_avx512.h.
#ifndef CK_ISA_TABLES_H
#define CK_ISA_TABLES_H

#include "ck_isa.h"

#if defined(__x86_64__)
#define CK_DECLARE_TABLES(type, name) extern const type name##_baseline, name##_avx2, name##_avx512
/// The address of the table in force now.
#define CK_CURRENT_TABLE(name)                                                                   \
    ((const __typeof__(name##_baseline) *const[]){                                               \
        [CK_ISA_BASELINE] = &name##_baseline, [CK_ISA_AVX2] = &name##_avx2, [CK_ISA_AVX512] = &name##_avx512, \
    }[ck_isa_current()])
#else
#define CK_DECLARE_TABLES(type, name) extern const type name##_baseline
#define CK_CURRENT_TABLE(name) (&name##_baseline)
#endif

#endif
