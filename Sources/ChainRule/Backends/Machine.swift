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

    /// The instruction set the kernels use: "baseline", "avx2" or "avx512".
    public static var instructionSet: String { String(cString: ck_isa_name(ck_isa_current())) }

    /// Whether the library was built with optimisation. A debug build is some fifty times slower.
    public static var isOptimized: Bool {
        #if DEBUG
            false
        #else
            true
        #endif
    }
}
