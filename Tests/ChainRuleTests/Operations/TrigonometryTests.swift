import ChainRule
import Testing

private let inf = Double.infinity
private let nan = Double.nan

struct TrigonometryTests {
    @Test func specialValues() {
        let x = specialPoints
        expectExactElements(x.sin(), [nan, -0.9092974268256817, -0.0, 0, 0.479425538604203, nan, nan])
        expectExactElements(x.cos(), [nan, -0.4161468365471424, 1, 1, 0.8775825618903728, nan, nan])
        expectExactElements(x.tan(), [nan, 2.185039863261519, -0.0, 0, 0.5463024898437905, nan, nan])
        expectExactElements(x.asin(), [nan, nan, -0.0, 0, 0.5235987755982989, nan, nan])
        expectExactElements(x.acos(), [nan, nan, 1.5707963267948966, 1.5707963267948966, 1.0471975511965976, nan, nan])
        expectExactElements(
            x.atan(),
            [-1.5707963267948966, -1.1071487177940904, -0.0, 0, 0.4636476090008061, 1.5707963267948966, nan])
        expectExactElements(x.sinh(), [-inf, -3.626860407847019, -0.0, 0, 0.5210953054937474, inf, nan])
        expectExactElements(x.cosh(), [inf, 3.7621956910836314, 1, 1, 1.1276259652063807, inf, nan])
        expectExactElements(x.asinh(), [-inf, -1.4436354751788103, -0.0, 0, 0.48121182505960347, inf, nan])
        expectExactElements(x.acosh(), [nan, nan, nan, nan, nan, inf, nan])
        expectExactElements(x.atanh(), [nan, nan, -0.0, 0, 0.5493061443340548, nan, nan])
    }

    @Test func anglesAndRadii() {
        let quarters = Tensor([1, -1, 0, -0.0]).atan2(Tensor([-1.0, -1, -1, -1]))
        expectExactElements(quarters, [2.356194490192345, -2.356194490192345, 3.141592653589793, -3.141592653589793])
        let large = Tensor([3e38, 3] as [Float]).hypot(Tensor([1e38, 4] as [Float]))
        expectExactElements(large, [3.1622777393197084e+38, 5], tolerance: 2e-7)
        expectExactElements(Tensor([180.0, -90]).deg2rad(), [3.141592653589793, -1.5707963267948966])
        expectExactElements(Tensor([1.0]).rad2deg(), [57.29577951308232])
        #expect(Tensor([1]).atan2(Tensor([2])).dtype == .float32)
    }

    @Test func gradientAtTheOrigin() {
        #expect(gradients([0], [0], of: { $0[0].atan2($0[1]) }) == [[0], [0]])
    }

    @Test func floatsAreRoundedOnce() {
        let x: [Float] = [-1.5, -0.3, 0.7, 1.2]
        let wide = Tensor(x.map(Double.init)).tan().toArray(of: Double.self)
        #expect(Tensor(x).tan().toArray(of: Float.self) == wide.map(Float.init))
    }
}
