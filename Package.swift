// swift-tools-version: 6.1
import PackageDescription

let package = Package(
    name: "ChainRule",
    products: [
        .library(name: "ChainRule", targets: ["ChainRule"])
    ],
    targets: [
        .target(name: "CKernels"),
        .target(name: "ChainRule", dependencies: ["CKernels"]),
        .testTarget(name: "CKernelsTests", dependencies: ["CKernels"]),
    ],
    swiftLanguageModes: [.v6]
)
