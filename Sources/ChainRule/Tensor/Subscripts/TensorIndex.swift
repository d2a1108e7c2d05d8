/// What may stand between the brackets of `x[...]`, one for each axis from the first on:
///
/// | index | takes |
/// |---|---|
/// | `3`, `-1` | one place; the axis is dropped; negative ones count from the end |
/// | `1..<4`, `1...3`, `2...`, `..<(-1)`, `-3..<0` | a range; bounds beyond the ends mean the ends |
/// | `.all` | the whole axis |
/// | `.slice(from: 1, to: -1, by: 2)` | every other place; each bound may be left out |
/// | `.newAxis` | nothing: a new axis of size 1 |
/// | `.ellipsis` | as many whole axes as the other indices leave over |
/// | an integer tensor | the places it names; its axes take the place of this one |
/// | a boolean tensor | the places where it is true; it covers as many axes as it has, which become one |
///
/// Several index tensors broadcast against each other and are read together, element by element. Their common axes stand where theirs stood
/// if these are neighbours, else in front, as in PyTorch.
public protocol TensorIndex {
    var term: IndexTerm { get }
}

/// One index, as the subscripts of `Tensor` understand it.
public struct IndexTerm: TensorIndex {
    enum Kind {
        case place(Int)
        case range(start: Int?, stop: Int?, step: Int)
        case newAxis
        case ellipsis
        case tensor(Tensor)
    }

    let kind: Kind

    init(_ kind: Kind) { self.kind = kind }

    public var term: IndexTerm { self }
}

extension TensorIndex where Self == IndexTerm {
    /// The whole axis.
    public static var all: IndexTerm { IndexTerm(.range(start: nil, stop: nil, step: 1)) }

    /// A new axis of size 1.
    public static var newAxis: IndexTerm { IndexTerm(.newAxis) }

    /// As many whole axes as the other indices leave over.
    public static var ellipsis: IndexTerm { IndexTerm(.ellipsis) }

    /// Every `step`-th place from `start` up to, not including, `stop`. Negative bounds count from the end; a bound left out is
    /// that end.
    public static func slice(from start: Int? = nil, to stop: Int? = nil, by step: Int = 1) -> IndexTerm {
        IndexTerm(.range(start: start, stop: stop, step: step))
    }
}

extension Int: TensorIndex {
    public var term: IndexTerm { IndexTerm(.place(self)) }
}

extension Range: TensorIndex where Bound == Int {
    public var term: IndexTerm { .bounded(lowerBound, upperBound) }
}

extension ClosedRange: TensorIndex where Bound == Int {
    public var term: IndexTerm { .bounded(lowerBound, upperBound + 1) }
}

extension PartialRangeFrom: TensorIndex where Bound == Int {
    public var term: IndexTerm { .slice(from: lowerBound) }
}

extension PartialRangeUpTo: TensorIndex where Bound == Int {
    public var term: IndexTerm { .slice(to: upperBound) }
}

extension PartialRangeThrough: TensorIndex where Bound == Int {
    public var term: IndexTerm { upperBound == -1 ? .all : .slice(to: upperBound + 1) }
}

extension Tensor: TensorIndex {
    public var term: IndexTerm { IndexTerm(.tensor(self)) }
}

extension IndexTerm {
    /// A range from below 0 up to 0 ends where the axis does: `-3..<0` and `-3 ... -1` are the last three places.
    fileprivate static func bounded(_ lower: Int, _ upper: Int) -> IndexTerm {
        .slice(from: lower, to: lower < 0 && upper == 0 ? nil : upper)
    }
}
