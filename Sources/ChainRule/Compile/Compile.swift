import CKernels

/// Makes a faster function of one that is called often with tensors of the same shapes: a training step, a prediction.
///
/// ```swift
/// let step = compile { (x: Tensor, y: Tensor) in
///     optimizer.zeroGrad()
///     let loss = crossEntropy(model(x), y)
///     loss.backward()
///     optimizer.step()
///     return loss
/// }
/// for (x, y) in loader { losses.append(step(x, y)) }
/// print(step.plan)
/// ```
///
/// For each signature (shapes, dtypes and requiresGrad of the arguments, modules in training or not) the first calls run as written and
/// are recorded; once two recordings agree, later calls run a plan: what is computed twice is computed once, what nobody uses is left
/// out, elementwise operations run together while their data is in the cache, images lie as the convolutions that read and write them want
/// them, and tensors that do not outlive a call share one block of memory, in which each has its place. Results differ from those of the
/// function as written by rounding alone.
///
/// What the function may use besides its arguments:
/// - parameters, their gradients, buffers of modules, the optimisers of ChainRuleNN (with their settings as they are at the time
///   of the call) and random numbers: read and changed in every call as in the function as written;
/// - any other tensor from outside, and Swift numbers: they count as constants. Pass what changes as an argument.
///
/// A function that decides by the values of tensors (`item()`, comparisons read as Bool, `nonzero()`), draws random numbers for the
/// program itself, or puts a tensor away somewhere cannot be recorded: it runs as written, and `fallbackReason` says why. Its results
/// carry no graph: call `backward()` inside.
public func compile<Result: TensorGroup, each Argument: TensorGroup>(
    _ function: @escaping (repeat each Argument) -> Result
) -> CompiledFunction<Result, repeat each Argument> {
    CompiledFunction(function)
}

/// The same for a function that returns nothing.
public func compile<each Argument: TensorGroup>(
    _ function: @escaping (repeat each Argument) -> Void
) -> CompiledFunction<NoTensors, repeat each Argument> {
    CompiledFunction { (arguments: repeat each Argument) in
        function(repeat each arguments)
        return NoTensors()
    }
}

/// What `compile` makes. Not to be called by two threads at once.
public final class CompiledFunction<Result: TensorGroup, each Argument: TensorGroup> {
    private let function: (repeat each Argument) -> Result
    private var variants: [CompiledVariant<Result>] = []
    private weak var latest: CompiledVariant<Result>?
    /// An array that is kept from call to call.
    private var tensors: [Tensor] = []

    init(_ function: @escaping (repeat each Argument) -> Result) { self.function = function }

    @discardableResult
    public func callAsFunction(_ arguments: repeat each Argument) -> Result {
        let thread = ck_current_thread()
        // Inside of another recording it is part of that; anomalies are looked for in the function as written.
        if thread.pointee.recorder != nil || thread.pointee.anomaly_detection != 0 {
            return function(repeat each arguments)
        }
        // A function that calls itself finds the array taken.
        var tensors: [Tensor] = []
        swap(&tensors, &self.tensors)
        repeat (each arguments).append(to: &tensors)
        defer {
            tensors.removeAll(keepingCapacity: true)
            swap(&tensors, &self.tensors)
        }
        return variant(for: tensors).run(tensors) { self.function(repeat each arguments) }
    }

    private func variant(for arguments: [Tensor]) -> CompiledVariant<Result> {
        if let latest, latest.fits(arguments) { return latest }
        let found = variants.first { $0.fits(arguments) }
        let variant = found ?? CompiledVariant(CallSignature(arguments))
        if found == nil {
            // What no longer fits comes back seldom: a few are enough.
            if variants.count == 16 { variants.removeFirst() }
            variants.append(variant)
        }
        latest = variant
        return variant
    }

    /// What the latest call ran: its description shows the steps, and which operations run together.
    public var plan: PlanDescription { latest?.description ?? PlanDescription(state: .notCalled) }

    /// Why the latest call ran the function as it is written; nil when it ran a plan or was recorded.
    public var fallbackReason: String? { latest?.fallbackReason }
}

/// What must be equal for a plan to serve another call.
struct CallSignature {
    private let forms: [Form]
    private let recordsGradients: Bool

    private struct Form {
        let shape: Shape
        let dtype: DType
        let requiresGrad: Bool
        /// The first argument that is this very tensor.
        let first: Int
    }

    init(_ arguments: [Tensor]) {
        forms = arguments.enumerated().map { index, argument in
            let first = arguments.firstIndex { $0.body.storage === argument.body.storage } ?? index
            return Form(
                shape: argument.shape, dtype: argument.dtype, requiresGrad: argument.requiresGrad, first: first)
        }
        recordsGradients = isRecording
    }

    func fits(_ arguments: [Tensor]) -> Bool {
        guard arguments.count == forms.count, recordsGradients == isRecording else { return false }
        for (index, argument) in arguments.enumerated() {
            let form = forms[index]
            guard argument.shape == form.shape, argument.dtype == form.dtype,
                argument.requiresGrad == form.requiresGrad
            else { return false }
            let isFirst = !arguments[..<index].contains { $0.body.storage === argument.body.storage }
            guard isFirst == (form.first == index),
                isFirst || arguments[form.first].body.storage === argument.body.storage
            else { return false }
        }
        return true
    }

    var description: String {
        forms.map { "\($0.dtype) \($0.shape)" + ($0.requiresGrad ? " with gradient" : "") }.joined(separator: ", ")
    }
}

/// A compiled function for one signature: being recorded, planned, or given up.
final class CompiledVariant<Result: TensorGroup> {
    private let signature: CallSignature
    private var state = State.recording(nil)
    private var attempts = 0
    private var isRunning = false

    private enum State {
        case recording(Recording?)
        case planned(Plan, Result)
        case asWritten(String)
    }

    /// Recordings that differ: the first calls may set things up, but not for ever.
    private static var mostAttempts: Int { 4 }

    init(_ signature: CallSignature) { self.signature = signature }

    func fits(_ arguments: [Tensor]) -> Bool {
        guard signature.fits(arguments) else { return false }
        guard case .planned(let plan, _) = state else { return true }
        return plan.conditionsHold
    }

    var fallbackReason: String? {
        guard case .asWritten(let reason) = state else { return nil }
        return "It runs as it is written, because \(reason)."
    }

    var description: PlanDescription {
        switch state {
        case .recording: PlanDescription(state: .recording(signature.description))
        case .planned(let plan, _): PlanDescription(state: .planned(signature.description, plan.summary))
        case .asWritten: PlanDescription(state: .asWritten(signature.description, fallbackReason ?? ""))
        }
    }

    func run(_ arguments: [Tensor], _ function: () -> Result) -> Result {
        // A function that calls itself finds its plan in use.
        if isRunning { return function() }
        isRunning = true
        defer { isRunning = false }
        switch state {
        case .asWritten: return function()
        case .planned(let plan, let form): return plan.run(arguments, form)
        case .recording(let previous): return record(arguments, previous, function)
        }
    }

    private func record(_ arguments: [Tensor], _ previous: Recording?, _ function: () -> Result) -> Result {
        let recorder = Recorder(arguments: arguments)
        var result = CachingAllocator.saving { recorder.record(function) }
        if isErrorPending { return result }
        let results = recorder.take(from: &result)
        attempts += 1
        guard let recording = Recording(recorder, results) else {
            let isLast = recorder.isHopeless || attempts == Self.mostAttempts
            state = isLast ? .asWritten(recorder.refusal ?? "") : .recording(nil)
            return result
        }
        guard let previous else {
            state = .recording(recording)
            return result
        }
        if let difference = recording.difference(from: previous) {
            state = attempts == Self.mostAttempts ? .asWritten(difference) : .recording(recording)
        } else {
            var placeholders = results.map { _ in Tensor.placeholderAfterError }[...]
            state = .planned(Plan(recording), result.replaced(by: &placeholders))
        }
        return result
    }
}

extension Recorder {
    /// The result's tensors without their graph, in the result's place: what the function computed must go, to see what is kept elsewhere.
    fileprivate func take<Result: TensorGroup>(from result: inout Result) -> [Tensor] {
        var tensors: [Tensor] = []
        result.append(to: &tensors)
        if !ranBackward, tensors.contains(where: { $0.requiresGrad && !($0.isLeaf) }) {
            refuse(
                "a result requires a gradient, and a plan's results carry no graph: call backward() inside, or compute inside withoutGradient"
            )
            return tensors
        }
        tensors = tensors.map { $0.requiresGrad && $0.isLeaf ? $0 : $0.withoutNode }
        var replacements = tensors[...]
        result = result.replaced(by: &replacements)
        return tensors
    }
}
