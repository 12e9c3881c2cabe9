// swift-tools-version: 6.2
import PackageDescription

// Fuzzers stand apart: they are built with a sanitizer and run by scripts/fuzz.
let package = Package(
    name: "fuzzers",
    dependencies: [.package(name: "yidiantong", path: "../..")],
    targets: [
        .target(name: "CFuzzerEntry"),
        .executableTarget(
            name: "fuzz-dc09",
            dependencies: ["CFuzzerEntry", .product(name: "TerminalProtocols", package: "yidiantong")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])]),
        .executableTarget(
            name: "fuzz-ev07b",
            dependencies: ["CFuzzerEntry", .product(name: "TerminalProtocols", package: "yidiantong")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])]),
        .executableTarget(
            name: "fuzz-gt06",
            dependencies: ["CFuzzerEntry", .product(name: "TerminalProtocols", package: "yidiantong")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])]),
        .executableTarget(
            name: "fuzz-jt808",
            dependencies: ["CFuzzerEntry", .product(name: "TerminalProtocols", package: "yidiantong")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])]),
        .executableTarget(
            name: "fuzz-watch",
            dependencies: ["CFuzzerEntry", .product(name: "TerminalProtocols", package: "yidiantong")],
            swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])]),
    ]
)
