// swift-tools-version: 6.1
import PackageDescription

/// The folders of CKernels, which include each other's headers.
let kernelRooms = [
    "InstructionSets", "Threads", "VectorMath", "Elementwise", "Reductions", "Rows", "Matmul", "Attention", "Recurrent",
    "Convolution", "Optimizers", "LinearAlgebra",
]

let package = Package(
    name: "ChainRule",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ChainRule", targets: ["ChainRule"]),
        .library(name: "ChainRuleNN", targets: ["ChainRuleNN"]),
        .library(name: "ChainRuleData", targets: ["ChainRuleData"]),
        .library(name: "ChainRuleTraining", targets: ["ChainRuleTraining"]),
        .library(name: "ChainRuleTestSupport", targets: ["ChainRuleTestSupport"]),
        .executable(name: "chainrule", targets: ["ChainRuleCommand"]),
        .executable(name: "conformance", targets: ["Conformance"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0")
    ],
    targets: [
        .target(name: "CKernels", cSettings: kernelRooms.map { .headerSearchPath($0) }),
        .systemLibrary(name: "CZlib", providers: [.apt(["zlib1g-dev"]), .yum(["zlib-devel"])]),
        .target(name: "ChainRule", dependencies: ["CKernels"]),
        .target(name: "ChainRuleNN", dependencies: ["ChainRule"]),
        .target(name: "ChainRuleData", dependencies: ["ChainRule", "CZlib"]),
        .target(name: "ChainRuleTraining", dependencies: ["ChainRule", "ChainRuleNN", "ChainRuleData"]),
        .target(name: "ChainRuleTestSupport", dependencies: ["ChainRule"]),
        .target(name: "SeedPrograms", dependencies: ["ChainRule", "ChainRuleNN"], path: "Examples/Seeds"),
        .executableTarget(
            name: "ChainRuleCommand",
            dependencies: [
                "ChainRule", "ChainRuleNN", "ChainRuleData", "ChainRuleTraining", "SeedPrograms",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .executableTarget(
            name: "Conformance",
            dependencies: [
                "ChainRule", "ChainRuleNN", "ChainRuleTestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
        .testTarget(name: "ChainRuleTests", dependencies: ["ChainRule", "ChainRuleTestSupport"]),
        .testTarget(name: "ChainRuleNNTests", dependencies: ["ChainRule", "ChainRuleNN", "ChainRuleTestSupport"]),
        .testTarget(name: "ChainRuleDataTests", dependencies: ["ChainRule", "ChainRuleData"]),
        .testTarget(name: "ChainRuleCommandTests", dependencies: ["ChainRuleCommand"]),
        .testTarget(name: "ConformanceTests", dependencies: ["Conformance", "ChainRule", "ChainRuleTestSupport"]),
        .testTarget(
            name: "DocumentationTests", dependencies: ["ChainRule", "ChainRuleNN", "ChainRuleTestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
