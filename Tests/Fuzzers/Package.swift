// swift-tools-version: 6.2
import PackageDescription

// Fuzzers stand apart: they are built with a sanitizer and run by scripts/fuzz.

/// One fuzzer; `modules` name what it feeds, each of which is a product of the gateway's package.
func fuzzer(_ name: String, _ products: String...) -> Target {
    .executableTarget(
        name: "fuzz-\(name)",
        dependencies: ["CFuzzerEntry", "FuzzHarness"]
            + products.map { .product(name: $0, package: "yidiantong") },
        swiftSettings: [.enableExperimentalFeature("Lifetimes"), .unsafeFlags(["-parse-as-library"])])
}

let package = Package(
    name: "fuzzers",
    dependencies: [.package(name: "yidiantong", path: "../..")],
    targets: [
        .target(name: "CFuzzerEntry"),
        .target(name: "FuzzHarness", dependencies: [.product(name: "TerminalProtocols", package: "yidiantong")]),
        fuzzer("configuration", "GatewayApp"),
        fuzzer("dc09", "TerminalProtocols"),
        fuzzer("detection", "TerminalProtocols", "TerminalSession"),
        fuzzer("ev07b", "TerminalProtocols"),
        fuzzer("fences", "GatewayApp"),
        fuzzer("gt06", "TerminalProtocols"),
        fuzzer("jt808", "TerminalProtocols"),
        fuzzer("people", "GatewayApp"),
        fuzzer("watch", "TerminalProtocols"),
    ]
)
