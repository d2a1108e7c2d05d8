/// Finds elementwise operations that can run together, and the order in which everything runs then.
///
/// A *unit* is a group of operations that run as one, or a single step. Two units of one shape become one when one uses the other's result or
/// both read the same, and no third lies between them: one that needs the results of the one and that the other needs. A unit that computes
/// one number for each row of another's shape fits that one too.
struct Fusion {
    private let steps: [RecordedStep]
    private let forms: [ValueForm]
    /// The steps as they run in a group; nil for those that can't.
    private let tiled: [TiledStep?]
    /// The steps that a step waits for.
    private let predecessors: [[Int]]
    private var unitOf: [Int]
    private var members: [[Int]]
    /// What a unit runs over, and whether all of it fits the numbers of rows.
    private var shapes: [Shape]
    private var fitsRowNumbers: [Bool]
    /// The operations that read a value, so far.
    private var readers: [Int: [Int]] = [:]
    /// The units, each after all it waits for, and where in that order each is.
    private var order: [Int]
    private var place: [Int]
    /// The number of the search that came to a unit last.
    private var visited: [Int]
    private var search = 0

    /// Longer groups would need more registers than stay in the nearest cache.
    private static let longest = 24
    /// A search that passes more units than these gives up: what lies so far apart gains nothing in the cache, and a plan is to be made in a time
    /// that grows with the recording and not with its square.
    private static let farthest = 1000

    init(_ steps: [RecordedStep], _ forms: [ValueForm]) {
        self.steps = steps
        self.forms = forms
        tiled = steps.map { TiledStep($0, forms) }
        shapes = tiled.map { $0?.shape ?? [] }
        fitsRowNumbers = tiled.map { $0?.fitsRowNumbers ?? false }
        predecessors = Fusion.dependencies(of: steps)
        unitOf = Array(steps.indices)
        members = steps.indices.map { [$0] }
        order = Array(steps.indices)
        place = order
        visited = steps.map { _ in 0 }
        for index in steps.indices where tiled[index] != nil { join(index) }
    }

    /// What each step waits for: the makers of its inputs, and the step before it that touches the same thing outside.
    private static func dependencies(of steps: [RecordedStep]) -> [[Int]] {
        var maker: [Int: Int] = [:]
        var latest: [ObjectIdentifier?: Int] = [:]
        return steps.enumerated().map { index, step in
            var found = Set(step.inputs.compactMap { maker[$0] })
            for output in step.outputs { maker[output] = index }
            if step.role == .reading || step.role == .effect {
                if let before = latest.updateValue(index, forKey: step.owner) { found.insert(before) }
            }
            return found.sorted()
        }
    }

    // MARK: Groups

    /// Brings an operation together with the makers of its inputs, and with others that read the same inputs.
    private mutating func join(_ index: Int) {
        var partners = predecessors[index].filter { tiled[$0] != nil }
        for input in steps[index].inputs where forms[input].shape == shapes[index] {
            partners += readers[input]?.suffix(Self.longest) ?? []
            readers[input, default: []].append(index)
        }
        for partner in partners {
            let (unit, own) = (unitOf[partner], unitOf[index])
            guard unit != own, members[unit].count + members[own].count <= Self.longest,
                let shape = commonShape(unit, own),
                areNeighbours(unit, own)
            else { continue }
            moveTogether(unit, own)
            merge(own, into: unit)
            shapes[unit] = shape
        }
    }

    /// What two units would run over together.
    private func commonShape(_ unit: Int, _ other: Int) -> Shape? {
        let (shape, otherShape) = (shapes[unit], shapes[other])
        if shape == otherShape { return shape }
        if isOfRows(shape, otherShape), fitsRowNumbers[unit] { return otherShape }
        return isOfRows(otherShape, shape) && fitsRowNumbers[other] ? shape : nil
    }

    /// Whether a shape has one element for each row of another, and such rows fit a tile.
    private func isOfRows(_ numbers: Shape, _ shape: Shape) -> Bool {
        guard let columns = shape.last, numbers.last == 1, numbers.count == shape.count else { return false }
        return numbers.dropLast().elementsEqual(shape.dropLast()) && columns * 8 <= TiledStep.mostRowBytes
    }

    private mutating func merge(_ unit: Int, into other: Int) {
        for member in members[unit] { unitOf[member] = other }
        fitsRowNumbers[other] = fitsRowNumbers[other] && fitsRowNumbers[unit]
        members[other] = (members[other] + members[unit]).sorted()
        members[unit] = []
    }

    /// Whether no third unit lies between two. If so, the latest search came to what the later one waits for and the earlier one does not.
    private mutating func areNeighbours(_ unit: Int, _ other: Int) -> Bool {
        let (first, second) = place[unit] < place[other] ? (unit, other) : (other, unit)
        search += 1
        visited[second] = search
        var stack = [second]
        var passed = 0
        while let next = stack.popLast() {
            passed += 1
            if passed > Self.farthest { return false }
            for member in members[next] {
                for before in predecessors[member] {
                    let found = unitOf[before]
                    if found == first {
                        if next != second { return false }
                    } else if place[found] > place[first], visited[found] != search {
                        visited[found] = search
                        stack.append(found)
                    }
                }
            }
        }
        return true
    }

    /// Puts two neighbours side by side: behind what the later one waits for, before all else that lies between them.
    private mutating func moveTogether(_ unit: Int, _ other: Int) {
        let places = min(place[unit], place[other])...max(place[unit], place[other])
        let between = order[places].filter { $0 != unit && $0 != other }
        let moved =
            between.filter { visited[$0] == search } + [unit, other] + between.filter { visited[$0] != search }
        for (index, unit) in zip(places, moved) {
            order[index] = unit
            place[unit] = index
        }
    }

    // MARK: Order

    /// The units, each after all it waits for, otherwise in the order of the recording.
    var ordered: [[RecordedStep]] {
        var waitsFor = [Int: Set<Int>]()
        var followers = [Int: [Int]]()
        let units = members.indices.filter { !members[$0].isEmpty }
        for unit in units {
            var before: Set<Int> = []
            for member in members[unit] { before.formUnion(predecessors[member].map { unitOf[$0] }) }
            before.remove(unit)
            waitsFor[unit] = before
            for other in before { followers[other, default: []].append(unit) }
        }
        // By its last member, so that a group waits no longer than it must and takes its inputs when all are there.
        var ready = units.filter { waitsFor[$0]?.isEmpty ?? true }.sorted { last($0) > last($1) }
        var result: [[RecordedStep]] = []
        while let unit = ready.popLast() {
            result.append(members[unit].map { steps[$0] })
            for follower in followers[unit] ?? [] {
                waitsFor[follower]?.remove(unit)
                guard waitsFor[follower]?.isEmpty ?? false else { continue }
                let place = ready.firstIndex { last($0) < last(follower) } ?? ready.count
                ready.insert(follower, at: place)
            }
        }
        return result.count == units.count ? result : steps.map { [$0] }
    }

    private func last(_ unit: Int) -> Int { members[unit].last ?? 0 }
}
