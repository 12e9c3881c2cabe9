// swift-tools-version: 6.2
import PackageDescription

// What scripts/test-template builds: the targets that a protocol lives in, with one more protocol in them.
let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

let package = Package(
    name: "template",
    targets: [
        .target(name: "CWireBytes"),
        .target(name: "WireBytes", dependencies: ["CWireBytes"], swiftSettings: strict + [.strictMemorySafety()]),
        .target(name: "TerminalModel", swiftSettings: strict),
        .target(
            name: "TerminalProtocols", dependencies: ["WireBytes", "TerminalModel"],
            swiftSettings: strict + [.strictMemorySafety()]),
        .target(
            name: "TerminalSession", dependencies: ["TerminalProtocols", "TerminalModel"], swiftSettings: strict),
        .testTarget(
            name: "TinyTests", dependencies: ["TerminalSession", "TerminalProtocols", "TerminalModel", "WireBytes"],
            swiftSettings: strict),
    ]
)
