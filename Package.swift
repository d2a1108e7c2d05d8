// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "ChainRule",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "ChainRule", targets: ["ChainRule"]),
        .library(name: "ChainRuleTestSupport", targets: ["ChainRuleTestSupport"]),
    ],
    targets: [
        .target(name: "CKernels"),
        .target(name: "ChainRule", dependencies: ["CKernels"]),
        .target(name: "ChainRuleTestSupport", dependencies: ["ChainRule"]),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
        .testTarget(name: "ChainRuleTests", dependencies: ["ChainRule", "ChainRuleTestSupport"]),
    ],
    swiftLanguageModes: [.v6]
)
