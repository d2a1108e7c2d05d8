import CKernels

/// How the library computes on this machine.
public enum Machine {
    /// How many threads share the work, the caller included. Results do not depend on it. Starts as `CHAINRULE_THREADS`, else the
    /// number of processors this process may use.
    public static var threadCount: Int {
        get { Int(ck_thread_count()) }
        set {
            guard newValue >= 1 else {
                fail("threadCount", "at least one thread must work, not \(newValue)")
                return
            }
            ck_set_thread_count(Int32(clamping: newValue))
        }
    }

    /// The instruction sets that kernels are compiled for.
    public enum InstructionSet: String, CaseIterable, Sendable {
        /// What every machine of the architecture has: SSE2 or NEON.
        case baseline
        /// AVX2 with fused multiply-add.
        case avx2
        case avx512

        fileprivate var code: ck_isa {
            switch self {
            case .baseline: CK_ISA_BASELINE
            case .avx2: CK_ISA_AVX2
            case .avx512: CK_ISA_AVX512
            }
        }
    }

    /// The instruction set the kernels use: the widest this machine has, unless set. Results of different sets differ by
    /// rounding; set it to get the same bits on different machines.
    public static var instructionSet: InstructionSet {
        get { InstructionSet.allCases.first { $0.code == ck_isa_current() } ?? .baseline }
        set {
            if ck_isa_force(newValue.code) == 0 {
                fail("instructionSet", "this machine has no \(newValue); the widest it has is \(instructionSet)")
            }
        }
    }

    /// Whether the library was built with optimisation. A debug build is some fifty times slower.
    public static var isOptimized: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }
}
