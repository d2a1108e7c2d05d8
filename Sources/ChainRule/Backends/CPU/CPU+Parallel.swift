import CKernels

extension CPU {
    /// Runs `body` on every block in 0..<count, shared among the threads of the pool. What a block does must depend on its
    /// number alone. The caller passes blocks worth some tens of microseconds; a single one runs right here.
    static func parallel(blocks count: Int, _ body: @Sendable (Int) -> Void) {
        if count <= 1 {
            if count == 1 { body(0) }
            return
        }
        withoutActuallyEscaping(body) { body in
            var block = ParallelBody(run: body)
            withUnsafeMutablePointer(to: &block) { pointer in
                ck_parallel(
                    Int64(count),
                    { context, block in
                        context?.assumingMemoryBound(to: ParallelBody.self).pointee.run(Int(block))
                    }, pointer)
            }
        }
    }

    /// Cuts `count` pieces of work of `cost` bytes each into blocks of about 256 KB, which depend on nothing else, and runs them.
    static func parallel(over count: Int, cost: Int, _ body: @Sendable (Range<Int>) -> Void) {
        let perBlock = Swift.max(1, (256 << 10) / Swift.max(cost, 1))
        if count <= perBlock {
            if count > 0 { body(0..<count) }
            return
        }
        parallel(blocks: (count + perBlock - 1) / perBlock) { block in
            body(block * perBlock..<Swift.min((block + 1) * perBlock, count))
        }
    }
}

private struct ParallelBody {
    let run: @Sendable (Int) -> Void
}

/// A pointer that a parallel loop takes along; each block touches only its own part of the memory.
struct Shared<Pointee>: @unchecked Sendable {
    let pointer: UnsafeMutablePointer<Pointee>

    @inline(__always)
    init(_ pointer: UnsafeMutablePointer<Pointee>) { self.pointer = pointer }

    @inline(__always)
    init(_ pointer: UnsafePointer<Pointee>) { self.pointer = UnsafeMutablePointer(mutating: pointer) }

    @inline(__always)
    subscript(index: Int) -> Pointee {
        get { pointer[index] }
        nonmutating set { pointer[index] = newValue }
    }
}
