/// An n-dimensional array of numbers that remembers how it was computed.
///
/// A value: a copy is O(1) and shares memory until one of the two is written. Slices, transposes and reshapes are views
/// in the same way. A *leaf* that requires a gradient (a parameter) has an identity that all its copies share: its `data`
/// and its `grad`.
public struct Tensor: Sendable {
    var body: TensorBody

    @inline(__always)
    init(body: TensorBody) { self.body = body }

    /// Uninitialised row-major memory.
    @inline(__always)
    init(uninitialized shape: Shape, dtype: DType) {
        body = .make(Storage.allocate(shape.byteCount(of: dtype)), Layout(contiguous: shape), dtype)
    }

    /// Uninitialised memory for a result of the shape and dtype of a row-major tensor.
    @inline(__always)
    init(uninitializedLike other: Tensor) {
        var layout = other.layout
        layout.offset = 0
        body = .make(Storage.allocate(other.count * other.dtype.byteCount), layout, other.dtype)
    }

    /// The sizes of the axes.
    public var shape: Shape { body.layout.shape }
    /// The number of axes; 0 for a single number.
    public var rank: Int { body.layout.shape.count }
    /// The number of elements.
    public var count: Int { body.layout.elementCount }
    public var dtype: DType { body.dtype }
    /// How many elements apart neighbours along each axis lie in memory.
    public var strides: Shape { body.layout.strides }
    /// Row-major without gaps.
    public var isContiguous: Bool { body.layout.isContiguous }

    var layout: Layout { body.layout }
    var node: Node? { body.node }

    /// What `fail` hands on after a mistake inside `catchingErrors`.
    static let placeholderAfterError = Tensor(uninitialized: [0], dtype: .float32)

    /// The same elements read through another layout; not recorded.
    func view(_ layout: Layout) -> Tensor {
        Tensor(body: .make(body.storage, layout, body.dtype))
    }

    /// The same row-major memory in another shape of as many elements; not recorded. A slice keeps its place.
    func contiguousView(_ shape: Shape) -> Tensor {
        view(Layout(shape: shape, strides: shape.contiguousStrides, offset: layout.offset))
    }

    /// The axis that `dim` means: negative ones count from the end. Nil (after an error) when there is none.
    func axis(_ dim: Int, in operation: String) -> Int? { shape.axis(dim, in: operation) }
}

extension Shape {
    /// The axis that `dim` means: negative ones count from the end, and a single number takes 0 and -1 as PyTorch does.
    func axis(_ dim: Int, in operation: String) -> Int? {
        let limit = Swift.max(count, 1)
        let axis = dim < 0 ? dim + limit : dim
        guard axis >= 0 && axis < limit else {
            fail(operation, "dimension \(dim) is out of range for shape \(self) (expected \(-limit) to \(limit - 1))")
            return nil
        }
        return axis
    }
}

/// What the copies of a tensor share.
final class TensorBody: @unchecked Sendable {
    // @unchecked: what is in it changes only when the body is uniquely referenced, or through the data of a leaf,
    // which the program must not do while another thread reads that leaf.
    @exclusivity(unchecked) private var memory: Storage?
    @exclusivity(unchecked) var layout: Layout
    @exclusivity(unchecked) var dtype: DType
    /// The node that computed this tensor, the leaf's own node when it requires a gradient, else nil.
    @exclusivity(unchecked) var node: Node?
    /// Which of the node's outputs this is.
    @exclusivity(unchecked) var outputIndex: Int32 = 0

    @inline(__always)
    init(storage: Storage, layout: Layout, dtype: DType, node: Node? = nil, outputIndex: Int32 = 0) {
        memory = storage
        self.layout = layout
        self.dtype = dtype
        self.node = node
        self.outputIndex = outputIndex
    }

    /// There is one as long as a tensor has this body.
    @inline(__always)
    var storage: Storage {
        get { memory.unsafelyUnwrapped }
        set { memory = newValue }
        _modify {
            // Moved, so that a look at how many hold it finds it as it is.
            var storage = memory.take().unsafelyUnwrapped
            defer { memory = storage }
            yield &storage
        }
    }

    /// Takes the memory from a body that no tensor has, and forgets the node.
    func empty() -> Storage {
        node = nil
        return memory.take().unsafelyUnwrapped
    }

    /// Gives an emptied body to a tensor.
    @inline(__always)
    func fill(_ storage: consuming Storage, _ layout: Layout, _ dtype: DType) {
        memory = storage
        self.layout = layout
        self.dtype = dtype
        outputIndex = 0
    }

    /// A new body; while a plan runs, one that another tensor no longer needs. The layout is made where it is used: handed on it would be copied.
    @inline(__always)
    static func make(_ storage: Storage, _ layout: @autoclosure () -> Layout, _ dtype: DType) -> TensorBody {
        if PlannedMemory.isUsed, let body = planned(storage, layout(), dtype) { return body }
        return TensorBody(storage: storage, layout: layout(), dtype: dtype)
    }

    @inline(never)
    private static func planned(_ storage: Storage, _ layout: Layout, _ dtype: DType) -> TensorBody? {
        PlannedMemory.withCurrent { $0.body(storage, layout, dtype) }
    }
}

// MARK: - Pointers. The only ways to a tensor's memory.

extension Tensor {
    /// Where the first element lies. Valid while `self` is alive; elements are apart by `strides`.
    @inline(__always)
    func pointer<Element>(to type: Element.Type) -> UnsafePointer<Element> {
        assert(MemoryLayout<Element>.size == dtype.byteCount, "\(type) is not how \(dtype) lies in memory")
        return UnsafePointer(
            (body.storage.pointer + body.layout.offset * MemoryLayout<Element>.stride).assumingMemoryBound(to: type))
    }

    /// The memory of a tensor that was just made and that nobody else has seen.
    @inline(__always)
    func freshPointer<Element>(to type: Element.Type) -> UnsafeMutablePointer<Element> {
        UnsafeMutablePointer(mutating: pointer(to: type))
    }

    /// Memory to write in place: copies first unless no other tensor uses it.
    mutating func uniquePointer<Element>(to type: Element.Type) -> UnsafeMutablePointer<Element> {
        makeUnique()
        return freshPointer(to: type)
    }

    /// Whether no other tensor has this one's body.
    @inline(__always)
    mutating func hasOwnBody() -> Bool {
        isKnownUniquelyReferenced(&body) || PlannedMemory.withCurrent { $0.isUniquelyReferenced(&body) } ?? false
    }

    /// Makes this tensor the only user of its memory, copying when it isn't.
    mutating func makeUnique() {
        Recorder.noteReading("the memory of a tensor is written")
        if !hasOwnBody() {
            body = TensorBody(
                storage: body.storage, layout: body.layout, dtype: body.dtype, node: body.node,
                outputIndex: body.outputIndex)
        }
        // Without gaps there is no overlap either: an expanded axis or a sliding window must not be written through.
        if !isKnownUniquelyReferenced(&body.storage) || !isContiguous {
            let copy = CPU.contiguousCopy(self)
            body.storage = copy.body.storage
            body.layout = copy.body.layout
        }
    }
}
