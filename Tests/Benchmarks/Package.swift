// swift-tools-version: 6.2
import PackageDescription

// Benchmarks stand apart, so that building and testing the gateway never builds them.
let package = Package(
    name: "benchmarks",
    dependencies: [.package(name: "yidiantong", path: "../..")],
    targets: [
        .target(
            name: "CDecodeReference", dependencies: [.product(name: "TerminalProtocols", package: "yidiantong")]),
        .executableTarget(
            name: "decode-benchmark",
            dependencies: [
                "CDecodeReference", .product(name: "TerminalProtocols", package: "yidiantong"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"), .enableExperimentalFeature("Lifetimes"),
            ]),
    ]
)
