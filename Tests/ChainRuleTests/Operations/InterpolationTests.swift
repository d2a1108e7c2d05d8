import ChainRule
import Testing

// Expected numbers are PyTorch's.

struct InterpolationTests {
    private let row = patterned([1, 1, 4])
    private let picture = patterned([1, 1, 3, 3])

    @Test func nearestElements() {
        expectClose(row.interpolate(scaleFactor: [1.7]), [0, 0, -1.125, -1.125, 0.625, 0.625])
        expectClose(row.interpolate(size: 6, mode: .nearestExact), [0, -1.125, -1.125, 0.625, -0.5, -0.5])
        expectClose(row.interpolate(size: 3, mode: .area), [-0.5625, -0.25, 0.0625])
    }

    @Test func lines() {
        expectClose(row.interpolate(size: 3, mode: .linear), [-0.1875, -0.25, -0.3125])
        expectClose(
            row.interpolate(scaleFactor: [1.7], mode: .linear),
            [
                0, -0.43014705882352944, -1.0919117647058825, -0.14705882352941177, 0.45955882352941185,
                -0.20220588235294124,
            ])
        expectClose(
            row.interpolate(scaleFactor: [1.7], mode: .linear, recomputeScaleFactor: true),
            [0, -0.5625, -0.8333333333333336, 0.33333333333333315, 0.0625, -0.5])
        expectClose(
            row.interpolate(size: 6, mode: .linear, alignCorners: true), [0, -0.675, -0.775, 0.275, 0.175, -0.5])
    }

    @Test func cubicsAndAntialiasing() {
        expectClose(
            picture.interpolate(size: 2, mode: .bicubic),
            [-0.24163436889648438, 0.2637367248535156, -0.44180870056152344, 0.06356239318847656])
        expectClose(
            picture.interpolate(size: 2, mode: .linear, antialias: true),
            [-0.205078125, 0.185546875, -0.15625, 0.234375])
        expectClose(
            patterned([1, 1, 5, 5]).interpolate(size: 2, mode: .bicubic, antialias: true),
            [-0.2431831509024594, 0.21320348685255427, 0.11141187348116093, -0.26422727918501837])
    }

    @Test func mistakes() {
        expectMistake("interpolate", "bicubic") { _ = row.interpolate(size: 2, mode: .bicubic) }
        expectMistake("size", "factor") { _ = row.interpolate() }
        expectMistake("nearest", "corners") { _ = row.interpolate(size: 2, alignCorners: true) }
    }
}
