import ChainRule
import Testing

/// Every expected text is what PyTorch prints for the same tensor.
struct PrintingTests {
    private func row(_ count: Int) -> Tensor { Tensor(Array(0..<count)) }
    private func floats(_ count: Int) -> Tensor { row(count).to(.float32) }
    private func expect(_ tensor: Tensor, _ text: String, line: Int = #line) {
        let location = SourceLocation(fileID: #fileID, filePath: #filePath, line: line, column: 1)
        #expect("\(tensor)" == text, sourceLocation: location)
    }

    /// Four digits; whole floats keep their point; columns are aligned.
    @Test func numbers() {
        expect(Tensor(3.5), "tensor(3.5000)")
        expect(Tensor(3.0), "tensor(3.)")
        expect(Tensor(7), "tensor(7)")
        expect(Tensor([1, 2, 3] as [Float]), "tensor([1., 2., 3.])")
        expect(Tensor([1, 2.5, -3] as [Float]), "tensor([ 1.0000,  2.5000, -3.0000])")
        expect(
            Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]),
            """
            tensor([[1., 2.],
                    [3., 4.]])
            """)
        expect(
            Tensor([1, -20, 300, 4], shape: [2, 2]),
            """
            tensor([[  1, -20],
                    [300,   4]])
            """)
        expect(Tensor([true, false]), "tensor([ True, False])")
        expect(Tensor([-12345.678] as [Float]), "tensor([-12345.6777])")
        expect(Tensor([123456.789, 1234.5] as [Float]), "tensor([123456.7891,   1234.5000])")
        expect(Tensor.zeros([1, 1, 1]), "tensor([[[0.]]])")
    }

    /// Exponents where the sizes differ by more than a thousand, or are very large or small.
    @Test func scientific() {
        expect(Tensor([1e-5, 1, 1000] as [Float]), "tensor([1.0000e-05, 1.0000e+00, 1.0000e+03])")
        expect(Tensor([1e9] as [Float]), "tensor([1.0000e+09])")
        expect(Tensor([0.001, 2] as [Float]), "tensor([1.0000e-03, 2.0000e+00])")
        expect(Tensor([1, 1001] as [Float]), "tensor([1.0000e+00, 1.0010e+03])")
        expect(Tensor([1e8] as [Float]), "tensor([100000000.])")
        expect(Tensor([1, 1000] as [Float]), "tensor([   1., 1000.])")
        expect(Tensor([0.00005, 0.99995, 0.12345] as [Float]), "tensor([5.0000e-05, 9.9995e-01, 1.2345e-01])")
        expect(Tensor([0.00005, 0.03125] as [Float]), "tensor([5.0000e-05, 3.1250e-02])")
        expect(Tensor([1e300, 1]), "tensor([1.0000e+300,  1.0000e+00], dtype=torch.float64)")
        expect(Tensor([.leastNonzeroMagnitude] as [Float]), "tensor([1.4013e-45])")
    }

    /// What is not finite, or zero, does not choose the style.
    @Test func infinitiesAndZeros() {
        expect(Tensor([.nan, .infinity, -.infinity] as [Float]), "tensor([nan, inf, -inf])")
        expect(Tensor([1, .nan, .infinity, -.infinity] as [Float]), "tensor([1., nan, inf, -inf])")
        expect(Tensor([1.5, .nan, -.infinity] as [Float]), "tensor([1.5000,    nan,   -inf])")
        expect(Tensor([-0.0, 0, 1] as [Float]), "tensor([-0., 0., 1.])")
        expect(Tensor([-0.0, 0, 1.5] as [Float]), "tensor([-0.0000, 0.0000, 1.5000])")
        expect(
            Tensor.zeros([2, 3]),
            """
            tensor([[0., 0., 0.],
                    [0., 0., 0.]])
            """)
    }

    /// An empty tensor says its size and dtype.
    @Test func emptyTensors() {
        expect(Tensor.zeros([0]), "tensor([])")
        expect(Tensor.zeros([0, 3]), "tensor([], size=(0, 3))")
        expect(Tensor.zeros([0], dtype: .int64), "tensor([], dtype=torch.int64)")
        expect(Tensor.zeros([2, 0], dtype: .float64), "tensor([], size=(2, 0), dtype=torch.float64)")
        expect(Tensor.zeros([1, 0, 1]), "tensor([], size=(1, 0, 1))")
    }

    /// A dtype that the elements don't show is named.
    @Test func dtypes() {
        expect(Tensor([1.5, 2.25]), "tensor([1.5000, 2.2500], dtype=torch.float64)")
        expect(Tensor([1.5, 2.25]).to(.float16), "tensor([1.5000, 2.2500], dtype=torch.float16)")
        expect(Tensor([1.5, 0.1]).to(.bfloat16), "tensor([1.5000, 0.1001], dtype=torch.bfloat16)")
        expect(Tensor([1, 255] as [UInt8]), "tensor([  1, 255], dtype=torch.uint8)")
        expect(
            Tensor([1, 2] as [Int32], shape: [2, 1]),
            """
            tensor([[1],
                    [2]], dtype=torch.int32)
            """)
    }

    /// Lines are broken before 80 columns, matrices stand apart.
    @Test func lines() {
        expect(
            row(40),
            """
            tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,
                    18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35,
                    36, 37, 38, 39])
            """)
        expect(
            floats(30) / 7,
            """
            tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429,
                    1.2857, 1.4286, 1.5714, 1.7143, 1.8571, 2.0000, 2.1429, 2.2857, 2.4286,
                    2.5714, 2.7143, 2.8571, 3.0000, 3.1429, 3.2857, 3.4286, 3.5714, 3.7143,
                    3.8571, 4.0000, 4.1429])
            """)
        expect(
            row(24).reshape(2, 3, 4),
            """
            tensor([[[ 0,  1,  2,  3],
                     [ 4,  5,  6,  7],
                     [ 8,  9, 10, 11]],

                    [[12, 13, 14, 15],
                     [16, 17, 18, 19],
                     [20, 21, 22, 23]]])
            """)
        expect(
            floats(12).reshape(2, 3, 2) / 3,
            """
            tensor([[[0.0000, 0.3333],
                     [0.6667, 1.0000],
                     [1.3333, 1.6667]],

                    [[2.0000, 2.3333],
                     [2.6667, 3.0000],
                     [3.3333, 3.6667]]])
            """)
        expect(
            row(8).reshape(2, 2, 1, 2),
            """
            tensor([[[[0, 1]],

                     [[2, 3]]],


                    [[[4, 5]],

                     [[6, 7]]]])
            """)
    }

    /// From 1001 elements on only the edges are shown.
    @Test func summaries() {
        expect(row(1001), "tensor([   0,    1,    2,  ...,  998,  999, 1000])")
        expect(
            floats(1200).reshape(30, 40) / 7,
            """
            tensor([[0.0000e+00, 1.4286e-01, 2.8571e-01,  ..., 5.2857e+00, 5.4286e+00,
                     5.5714e+00],
                    [5.7143e+00, 5.8571e+00, 6.0000e+00,  ..., 1.1000e+01, 1.1143e+01,
                     1.1286e+01],
                    [1.1429e+01, 1.1571e+01, 1.1714e+01,  ..., 1.6714e+01, 1.6857e+01,
                     1.7000e+01],
                    ...,
                    [1.5429e+02, 1.5443e+02, 1.5457e+02,  ..., 1.5957e+02, 1.5971e+02,
                     1.5986e+02],
                    [1.6000e+02, 1.6014e+02, 1.6029e+02,  ..., 1.6529e+02, 1.6543e+02,
                     1.6557e+02],
                    [1.6571e+02, 1.6586e+02, 1.6600e+02,  ..., 1.7100e+02, 1.7114e+02,
                     1.7129e+02]])
            """)
        expect(
            row(1206).reshape(201, 6),
            """
            tensor([[   0,    1,    2,    3,    4,    5],
                    [   6,    7,    8,    9,   10,   11],
                    [  12,   13,   14,   15,   16,   17],
                    ...,
                    [1188, 1189, 1190, 1191, 1192, 1193],
                    [1194, 1195, 1196, 1197, 1198, 1199],
                    [1200, 1201, 1202, 1203, 1204, 1205]])
            """)
        expect(
            floats(2400).reshape(8, 3, 100),
            """
            tensor([[[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 9.7000e+01,
                      9.8000e+01, 9.9000e+01],
                     [1.0000e+02, 1.0100e+02, 1.0200e+02,  ..., 1.9700e+02,
                      1.9800e+02, 1.9900e+02],
                     [2.0000e+02, 2.0100e+02, 2.0200e+02,  ..., 2.9700e+02,
                      2.9800e+02, 2.9900e+02]],

                    [[3.0000e+02, 3.0100e+02, 3.0200e+02,  ..., 3.9700e+02,
                      3.9800e+02, 3.9900e+02],
                     [4.0000e+02, 4.0100e+02, 4.0200e+02,  ..., 4.9700e+02,
                      4.9800e+02, 4.9900e+02],
                     [5.0000e+02, 5.0100e+02, 5.0200e+02,  ..., 5.9700e+02,
                      5.9800e+02, 5.9900e+02]],

                    [[6.0000e+02, 6.0100e+02, 6.0200e+02,  ..., 6.9700e+02,
                      6.9800e+02, 6.9900e+02],
                     [7.0000e+02, 7.0100e+02, 7.0200e+02,  ..., 7.9700e+02,
                      7.9800e+02, 7.9900e+02],
                     [8.0000e+02, 8.0100e+02, 8.0200e+02,  ..., 8.9700e+02,
                      8.9800e+02, 8.9900e+02]],

                    ...,

                    [[1.5000e+03, 1.5010e+03, 1.5020e+03,  ..., 1.5970e+03,
                      1.5980e+03, 1.5990e+03],
                     [1.6000e+03, 1.6010e+03, 1.6020e+03,  ..., 1.6970e+03,
                      1.6980e+03, 1.6990e+03],
                     [1.7000e+03, 1.7010e+03, 1.7020e+03,  ..., 1.7970e+03,
                      1.7980e+03, 1.7990e+03]],

                    [[1.8000e+03, 1.8010e+03, 1.8020e+03,  ..., 1.8970e+03,
                      1.8980e+03, 1.8990e+03],
                     [1.9000e+03, 1.9010e+03, 1.9020e+03,  ..., 1.9970e+03,
                      1.9980e+03, 1.9990e+03],
                     [2.0000e+03, 2.0010e+03, 2.0020e+03,  ..., 2.0970e+03,
                      2.0980e+03, 2.0990e+03]],

                    [[2.1000e+03, 2.1010e+03, 2.1020e+03,  ..., 2.1970e+03,
                      2.1980e+03, 2.1990e+03],
                     [2.2000e+03, 2.2010e+03, 2.2020e+03,  ..., 2.2970e+03,
                      2.2980e+03, 2.2990e+03],
                     [2.3000e+03, 2.3010e+03, 2.3020e+03,  ..., 2.3970e+03,
                      2.3980e+03, 2.3990e+03]]])
            """)
        expect(
            floats(2000) * 1e5,
            """
            tensor([0.0000e+00, 1.0000e+05, 2.0000e+05,  ..., 1.9970e+08, 1.9980e+08,
                    1.9990e+08])
            """)
    }

    /// Where the tensor comes from, on a line of its own if need be.
    @Test func gradients() {
        expect(Tensor([1, 2] as [Float], requiresGrad: true), "tensor([1., 2.], requires_grad=True)")
        expect(
            Tensor([1, 2] as [Float], requiresGrad: true) * Tensor([3, 4] as [Float]),
            "tensor([3., 8.], grad_fn=<MulBackward0>)")
        expect(
            Tensor([1, -2] as [Float], shape: [1, 2], requiresGrad: true).relu(),
            "tensor([[1., 0.]], grad_fn=<ReluBackward0>)")
        expect(Tensor([1.0], requiresGrad: true).exp(), "tensor([2.7183], dtype=torch.float64, grad_fn=<ExpBackward0>)")
        expect(
            (floats(12) + 1).requiringGrad(),
            """
            tensor([ 1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12.],
                   requires_grad=True)
            """)
        expect(
            (row(9).to(.float64) / 7).requiringGrad(),
            """
            tensor([0.0000, 0.1429, 0.2857, 0.4286, 0.5714, 0.7143, 0.8571, 1.0000, 1.1429],
                   dtype=torch.float64, requires_grad=True)
            """)
    }

    /// Views print what they show.
    @Test func views() {
        expect(
            Tensor([1, 2] as [Float], shape: [2, 1]).expand([2, 3]),
            """
            tensor([[1., 1., 1.],
                    [2., 2., 2.]])
            """)
        expect(
            row(6).reshape(2, 3).mT,
            """
            tensor([[0, 3],
                    [1, 4],
                    [2, 5]])
            """)
    }
}
