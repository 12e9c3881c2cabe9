// swift-tools-version: 6.2
import PackageDescription

// Benchmarks stand apart, so that building and testing the gateway never builds them.
let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(name: "yidiantong", path: "../.."),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
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
        .executableTarget(
            name: "pipeline-benchmark",
            dependencies: [
                "CDecodeReference", .product(name: "AlarmPipeline", package: "yidiantong"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: [
                .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
                .enableUpcomingFeature("InternalImportsByDefault"),
            ]),
    ]
)
