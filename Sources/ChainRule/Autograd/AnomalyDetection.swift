import CKernels

/// Runs `body` and stops at the operation, forward or backward, that makes the first NaN or infinity, and names it: "log made an infinity
/// at flat index 3 ...", "backward of sqrt made a NaN ...". Reads every result once, which costs about as much as an addition.
public func detectingAnomalies<Result>(_ body: () throws -> Result) rethrows -> Result {
    let thread = ck_current_thread()
    thread.pointee.anomaly_detection += 1
    defer { thread.pointee.anomaly_detection -= 1 }
    return try body()
}

/// Reports the operation when one of its results has a NaN or an infinity.
@inline(never)
func checkFinite(_ operation: String, _ results: [Tensor]) {
    for result in results where result.dtype.isFloatingPoint {
        guard let (index, isNaN) = CPU.firstNonFinite(result) else { continue }
        let kind = isNaN ? "a NaN" : "an infinity"
        fail(operation, "made \(kind) at flat index \(index) of its result of shape \(result.shape)")
        return
    }
}
