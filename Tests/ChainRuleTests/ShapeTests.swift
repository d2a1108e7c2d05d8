import ChainRule
import Testing

struct ShapeTests {
    @Test func elementCount() {
        #expect(Shape([2, 3, 4]).elementCount == 24)
        #expect(Shape().elementCount == 1)
        #expect(Shape([2, 0]).elementCount == 0)
    }

    @Test func insertingAndRemovingKeepsEquality() {
        var shape: Shape = [2, 4]
        shape.insert(3, at: 1)
        #expect(shape == [2, 3, 4])
        #expect(shape.remove(at: 1) == 3)
        #expect(shape == [2, 4])
        #expect(shape.description == "[2, 4]")
    }
}
