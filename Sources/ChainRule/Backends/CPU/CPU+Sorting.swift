import CKernels

extension CPU {
    /// The order that sorts each line along `axis`: int64 places, the first `limit` of them. Equal elements keep their order.
    static func sortedPlaces(_ x: Tensor, axis: Int, descending: Bool, limit: Int, name: String) -> Tensor {
        let shape = x.rank == 0 ? Shape([1]) : x.shape
        var target = shape
        target[axis] = limit
        let y = Tensor(uninitialized: x.rank == 0 ? [] : target, dtype: .int64)
        if y.count == 0 { return y }
        let space = RowSpace(shape, axis: axis)
        guard space.size <= Int(UInt32.max) else {
            return fail(name, "an axis of \(space.size) places is too long to sort (at most \(UInt32.max))")
        }
        let keys = sortKeys(x, descending: descending)
        withExtendedLifetime(keys) {
            let output = y.freshPointer(to: Int64.self)
            if keys.dtype == .int32 {
                sortLines(keys.pointer(to: UInt32.self), output, space, limit)
            } else {
                sortLines(keys.pointer(to: UInt64.self), output, space, limit)
            }
        }
        return y
    }

    private static func sortLines<Key: SortKey>(
        _ keys: UnsafePointer<Key>, _ output: UnsafeMutablePointer<Int64>, _ space: RowSpace, _ limit: Int
    ) {
        let (size, inner) = (space.size, space.inner)
        let block = blockSize(bytesEach: size * 32)
        parallel(space.outer * inner, block: block) { lines in
            let entries = UnsafeMutableBufferPointer<SortEntry<Key>>.allocate(capacity: size)
            let spare = UnsafeMutableBufferPointer<SortEntry<Key>>.allocate(capacity: size)
            defer {
                entries.deallocate()
                spare.deallocate()
            }
            for line in lines {
                let (outer, column) = line.quotientAndRemainder(dividingBy: inner)
                let source = keys + outer * size * inner + column
                for place in 0..<size {
                    entries.initializeElement(
                        at: place, to: SortEntry(key: source[place * inner], place: UInt32(place)))
                }
                let sorted = SortEntry.sort(entries, spare, first: limit)
                let target = output + outer * limit * inner + column
                for place in 0..<limit { target[place * inner] = Int64(sorted[place].place) }
            }
        }
    }
}

/// A key and where it stood.
private struct SortEntry<Key: SortKey>: BitwiseCopyable {
    var key: Key
    var place: UInt32

    /// Places break ties, so that no two entries are equal and any sort is stable.
    @inline(__always)
    static func < (a: Self, b: Self) -> Bool { a.key == b.key ? a.place < b.place : a.key < b.key }

    typealias Buffer = UnsafeMutableBufferPointer<SortEntry<Key>>

    /// Sorts so that the `limit` smallest come first, in order, and returns the buffer in which they lie.
    static func sort(_ entries: Buffer, _ spare: Buffer, first limit: Int) -> Buffer {
        let count = entries.count
        if limit < count / 8 && limit <= 1024 {
            selectSmallest(entries, limit)
            return entries
        }
        if count <= 32 {
            insertionSort(entries, count)
            return entries
        }
        if count <= 512 {
            var whole = entries
            whole.sort(by: <)
            return entries
        }
        return radixSort(entries, spare)
    }

    private static func insertionSort(_ entries: Buffer, _ count: Int) {
        for index in Swift.stride(from: 1, to: count, by: 1) {
            let entry = entries[index]
            var hole = index
            while hole > 0 && entry < entries[hole - 1] {
                entries[hole] = entries[hole - 1]
                hole -= 1
            }
            entries[hole] = entry
        }
    }

    /// Byte by byte from the lowest; bytes that all keys share are skipped, so small integers take one pass.
    private static func radixSort(_ entries: Buffer, _ spare: Buffer) -> Buffer {
        var (from, to) = (entries, spare)
        var counts = [Int](repeating: 0, count: 256)
        for shift in Swift.stride(from: 0, to: Key.bitWidth, by: 8) {
            for digit in 0..<256 { counts[digit] = 0 }
            for entry in from { counts[Int(truncatingIfNeeded: entry.key >> Key(shift)) & 255] += 1 }
            if counts.contains(from.count) { continue }
            var start = 0
            for digit in 0..<256 {
                let count = counts[digit]
                counts[digit] = start
                start += count
            }
            for entry in from {
                let digit = Int(truncatingIfNeeded: entry.key >> Key(shift)) & 255
                to[counts[digit]] = entry
                counts[digit] += 1
            }
            swap(&from, &to)
        }
        return from
    }

    /// The `limit` smallest at the front, in order: a heap of the best so far with the worst of them on top.
    private static func selectSmallest(_ entries: Buffer, _ limit: Int) {
        if limit == 0 { return }
        for root in Swift.stride(from: limit / 2 - 1, through: 0, by: -1) { sink(entries, root, limit) }
        for index in limit..<entries.count where entries[index] < entries[0] {
            entries.swapAt(index, 0)
            sink(entries, 0, limit)
        }
        for end in Swift.stride(from: limit - 1, to: 0, by: -1) {
            entries.swapAt(0, end)
            sink(entries, 0, end)
        }
    }

    private static func sink(_ heap: Buffer, _ start: Int, _ count: Int) {
        var root = start
        while true {
            var child = 2 * root + 1
            if child >= count { return }
            if child + 1 < count && heap[child] < heap[child + 1] { child += 1 }
            if !(heap[root] < heap[child]) { return }
            heap.swapAt(root, child)
            root = child
        }
    }
}

// MARK: - Searching and counting

extension CPU {
    /// For each value the first place in its sorted line where it could stand (`right`: the last). Both have one dtype; `lines` is
    /// how many lines the sequence has, one for all or one for each of the values' lines.
    static func searchSorted(_ sequence: Tensor, _ values: Tensor, right: Bool) -> Tensor {
        let y = Tensor(uninitialized: values.shape, dtype: .int64)
        if y.count == 0 { return y }
        let (sorted, sought) = (sortKeys(sequence), sortKeys(values))
        withExtendedLifetime((sorted, sought)) {
            let output = y.freshPointer(to: Int64.self)
            let length = sequence.shape.last ?? 1
            // A single line serves all values.
            let perLine = sequence.rank <= 1 ? y.count : values.shape.last ?? 1
            if sorted.dtype == .int32 {
                let (lines, keys) = (sorted.pointer(to: UInt32.self), sought.pointer(to: UInt32.self))
                searchLines(lines, keys, output, length, perLine, y.count, right)
            } else {
                let (lines, keys) = (sorted.pointer(to: UInt64.self), sought.pointer(to: UInt64.self))
                searchLines(lines, keys, output, length, perLine, y.count, right)
            }
        }
        return y
    }

    private static func searchLines<Key: SortKey>(
        _ lines: UnsafePointer<Key>, _ keys: UnsafePointer<Key>, _ output: UnsafeMutablePointer<Int64>,
        _ length: Int, _ perLine: Int, _ count: Int, _ right: Bool
    ) {
        parallel(count) { places in
            for place in places {
                let (line, key) = (lines + place / perLine * length, keys[place])
                var (low, high) = (0, length)
                while low < high {
                    let middle = (low + high) / 2
                    let isBefore = right ? line[middle] <= key : line[middle] < key
                    if isBefore { low = middle + 1 } else { high = middle }
                }
                output[place] = Int64(low)
            }
        }
    }

    /// The different rows of a [rows, columns] tensor: for each the first place where it occurs and how often, and for each row of
    /// `x` which of them it is. In ascending order, or, with `consecutive`, in runs as they come.
    static func distinctRows(
        _ x: Tensor, rows: Int, columns: Int, consecutive: Bool
    ) -> (firsts: [Int], inverse: [Int64], counts: [Int64]) {
        let keys = sortKeys(x)
        return withExtendedLifetime(keys) {
            keys.dtype == .int32
                ? distinct(keys.pointer(to: UInt32.self), rows, columns, consecutive)
                : distinct(keys.pointer(to: UInt64.self), rows, columns, consecutive)
        }
    }

    private static func distinct<Key: SortKey>(
        _ keys: UnsafePointer<Key>, _ rows: Int, _ columns: Int, _ consecutive: Bool
    ) -> (firsts: [Int], inverse: [Int64], counts: [Int64]) {
        let row = { (place: Int) in UnsafeBufferPointer(start: keys + place * columns, count: columns) }
        var order = Array(0..<Int64(rows))
        if columns == 1 && rows <= Int(UInt32.max) {
            if !consecutive {
                order.withUnsafeMutableBufferPointer { places in
                    guard let output = places.baseAddress else { return }
                    sortLines(keys, output, RowSpace([rows], axis: 0), rows)
                }
            }
            return runs(order) { keys[$0] == keys[$1] }
        }
        if !consecutive {
            order.sort { a, b in
                let (left, right) = (row(Int(a)), row(Int(b)))
                return left.lexicographicallyPrecedes(right) || (left.elementsEqual(right) && a < b)
            }
        }
        return runs(order) { row($0).elementsEqual(row($1)) }
    }

    /// The runs of places that are equal, in that order.
    @inline(__always)
    private static func runs(
        _ order: [Int64], _ areEqual: (Int, Int) -> Bool
    ) -> (firsts: [Int], inverse: [Int64], counts: [Int64]) {
        var (firsts, counts) = ([Int](), [Int64]())
        var inverse = [Int64](repeating: 0, count: order.count)
        var (first, start) = (-1, 0)
        for (index, place) in order.enumerated() {
            let place = Int(place)
            if first < 0 || !areEqual(first, place) {
                if first >= 0 { counts.append(Int64(index - start)) }
                firsts.append(place)
                (first, start) = (place, index)
            }
            inverse[place] = Int64(firsts.count - 1)
        }
        if first >= 0 { counts.append(Int64(order.count - start)) }
        return (firsts, inverse, counts)
    }
}

extension CPU {
    /// How many elements are NaN.
    static func nanCount(_ x: Tensor) -> Int {
        if !x.dtype.isFloatingPoint { return 0 }
        let marks = compare(CK_NE, x, x, name: Median.name)
        return withExtendedLifetime(marks) {
            UnsafeBufferPointer(start: marks.pointer(to: UInt8.self), count: marks.count).count { $0 != 0 }
        }
    }
}
