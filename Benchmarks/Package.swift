// swift-tools-version: 6.1
import PackageDescription

// A package of its own, so that what the benchmarks need never reaches a user of the library.
let package = Package(
    name: "Benchmarks",
    platforms: [.macOS(.v15)],
    dependencies: [
        .package(name: "ChainRule", path: ".."),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.5.0"),
    ],
    targets: [
        .target(name: "CProbes"),
        .executableTarget(
            name: "bench",
            dependencies: [
                "CProbes",
                .product(name: "ChainRule", package: "ChainRule"),
                .product(name: "ChainRuleNN", package: "ChainRule"),
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
    ],
    swiftLanguageModes: [.v6]
)
