/// Gradients on their way: each waits for its node's turn, which comes when every consumer of the node has added its part.
///
/// The node with the highest number goes next. It has a place of its own, all that a chain needs; a few dozen more stay in one
/// sorted array, all that most graphs need; the others lie in a heap, found by node and output when more is added to them. So a step costs
/// a handful of comparisons, and O(log n) when n gradients wait.
struct PendingGradients {
    struct Item {
        let node: Node
        let output: Int32
        var gradient: Tensor

        /// Earlier numbers come later; the outputs of one node stay together.
        @inline(__always)
        func isBefore(_ node: Node, _ output: Int32) -> Bool {
            self.node.sequence == node.sequence
                ? self.output < output : self.node.sequence < node.sequence
        }
    }

    /// The next in turn, unless it was just taken.
    private var next: Item?
    /// Ascending, all of them before `next`. All of `far` comes before all of these.
    private var near: [Item] = []
    private var far = FarItems()
    private static let nearLimit = 64

    /// Adds a gradient to what waits at an output of a node.
    @inline(__always)
    mutating func add(_ gradient: Tensor, to node: Node, _ output: Int32) {
        if next == nil && near.isEmpty && far.isEmpty {
            next = Item(node: node, output: output, gradient: gradient)
        } else if let waiting = next, waiting.node === node, waiting.output == output {
            next?.gradient.accumulate(gradient)
        } else {
            insert(gradient, node, output)
        }
    }

    private mutating func insert(_ gradient: Tensor, _ node: Node, _ output: Int32) {
        if let waiting = next.take() {
            if waiting.isBefore(node, output) {
                near.append(waiting)
                next = Item(node: node, output: output, gradient: gradient)
                if near.count > Self.nearLimit { spill() }
                return
            }
            next = waiting
        }
        var low = 0
        var high = near.count
        while low < high {
            let middle = (low + high) / 2
            if near[middle].isBefore(node, output) { low = middle + 1 } else { high = middle }
        }
        if low < near.count && near[low].node === node && near[low].output == output {
            near[low].gradient.accumulate(gradient)
        } else if low == 0 && !far.isEmpty {
            far.add(Item(node: node, output: output, gradient: gradient))
        } else {
            near.insert(Item(node: node, output: output, gradient: gradient), at: low)
            if near.count > Self.nearLimit { spill() }
        }
    }

    /// Takes the next in turn.
    @inline(__always)
    mutating func popLast() -> Item? {
        if let item = next.take() { return item }
        if near.isEmpty { refill() }
        return near.popLast()
    }

    /// Takes the next in turn if it is another output of `node`.
    mutating func popLast(of node: Node) -> Item? {
        guard let item = popLast() else { return nil }
        if item.node === node { return item }
        next = item
        return nil
    }

    /// Moves the later half of the near items away.
    private mutating func spill() {
        let half = Self.nearLimit / 2
        for item in near[..<half] { far.add(item) }
        near.removeFirst(half)
    }

    private mutating func refill() {
        if far.isEmpty { return }
        while near.count < Self.nearLimit / 2, let item = far.popHighest() { near.append(item) }
        near.reverse()
    }
}

/// A heap of waiting gradients, the highest node on top, with a table of what waits where.
private struct FarItems {
    private struct Key: Hashable {
        let sequence: UInt64
        let output: Int32

        static func < (a: Key, b: Key) -> Bool {
            a.sequence == b.sequence ? a.output < b.output : a.sequence < b.sequence
        }
    }

    private var heap: [Key] = []
    private var items: [Key: PendingGradients.Item] = [:]

    var isEmpty: Bool { heap.isEmpty }

    mutating func add(_ item: PendingGradients.Item) {
        let key = Key(sequence: item.node.sequence, output: item.output)
        if items[key] == nil {
            items[key] = item
            push(key)
        } else {
            items[key]?.gradient.accumulate(item.gradient)
        }
    }

    mutating func popHighest() -> PendingGradients.Item? {
        guard let top = heap.first, let last = heap.popLast() else { return nil }
        if !heap.isEmpty {
            heap[0] = last
            siftDown()
        }
        return items.removeValue(forKey: top)
    }

    private mutating func push(_ key: Key) {
        heap.append(key)
        var child = heap.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard heap[parent] < heap[child] else { return }
            heap.swapAt(parent, child)
            child = parent
        }
    }

    private mutating func siftDown() {
        var parent = 0
        while 2 * parent + 1 < heap.count {
            var child = 2 * parent + 1
            if child + 1 < heap.count && heap[child] < heap[child + 1] { child += 1 }
            guard heap[parent] < heap[child] else { return }
            heap.swapAt(parent, child)
            parent = child
        }
    }
}

extension Tensor {
    /// Adds another part of the same gradient: in place when nothing else uses the memory and neither part is recorded.
    mutating func accumulate(_ gradient: Tensor) {
        if node == nil && gradient.node == nil && shape == gradient.shape && dtype == gradient.dtype {
            addInPlace(gradient)
        } else {
            self = self + gradient
        }
    }
}
