import CKernels

/// Runs `body` and stops at the operation, forward or backward, that makes the first NaN or infinity from finite inputs, and names it.
/// Reads every result, so it is slower.
public func detectingAnomalies<Result>(_ body: () throws -> Result) rethrows -> Result {
    let thread = ck_current_thread()
    thread.pointee.anomaly_detection += 1
    defer { thread.pointee.anomaly_detection -= 1 }
    return try body()
}

/// Reports the operation when one of its results has a NaN or an infinity.
@inline(never)
func checkFinite(_ operation: String, _ results: [Tensor]) {
    let thread = ck_current_thread()
    let depth = thread.pointee.anomaly_detection
    thread.pointee.anomaly_detection = 0  // the check itself is made of operations
    defer { thread.pointee.anomaly_detection = depth }
    for result in results where result.dtype.isFloatingPoint {
        let values = result.detach().to(.float64).toArray(of: Double.self)
        guard let bad = values.firstIndex(where: { !$0.isFinite }) else { continue }
        let kind = values[bad].isNaN ? "a NaN" : "an infinity"
        fail(operation, "made \(kind) at flat index \(bad) of its result of shape \(result.shape)")
        return
    }
}
