import ChainRule
import Testing

@testable import Conformance

@Suite struct ComparisonTests {
    private let inf = Double.infinity, nan = Double.nan

    @Test func infinitiesAndNaNEqualThemselvesOnly() {
        let expected = Tensor([inf, -inf, nan, 1])
        #expect(difference(expected, from: expected) == nil)
        for (place, values) in [[-inf, 3, nan], [inf, 3, nan], [inf, 3], [inf, nan]].enumerated() {
            for value in values {
                var found = [inf, -inf, nan, 1]
                found[place] = value
                #expect(difference(Tensor(found), from: expected) != nil, "\(value) at \(place)")
            }
        }
    }

    @Test func namesTheElementThatIsFurthestOff() {
        let problem = difference(Tensor([1.0, 2, 4], shape: [3, 1]), from: Tensor([1.0, 2.5, 3], shape: [3, 1]))
        #expect(problem == "is 4.0 at [2, 0], expected 3.0, off by 1.0 (2 of 3 elements differ)")
    }
}
