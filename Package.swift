// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

/// Targets that hold borrowed views of wire bytes: every `unsafe` shows, and views may be returned.
let wire: [SwiftSetting] =
    strict + [.strictMemorySafety(), .enableExperimentalFeature("Lifetimes")]

let package = Package(
    name: "yidiantong",
    products: [
        .executable(name: "yidiantongd", targets: ["yidiantongd"]),
        .executable(name: "ydtctl", targets: ["ydtctl"]),
        .executable(name: "framereplay", targets: ["framereplay"]),
        .executable(name: "yidiantong-siren", targets: ["yidiantong-siren"]),
        // For the benchmarks and the fuzzers, which stand in packages of their own.
        .library(
            name: "TerminalProtocols", targets: ["TerminalProtocols", "TerminalModel", "WireBytes", "CWireBytes"]),
        .library(name: "TerminalSession", targets: ["TerminalSession"]),
        .library(name: "GatewayApp", targets: ["GatewayApp", "ControlAPI"]),
        .library(
            name: "AlarmPipeline",
            targets: ["AlarmPipeline", "IncidentStore", "IncidentCore", "Geofencing", "TerminalModel"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.30.0"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    ],
    targets: [
        .target(name: "CWireBytes"),
        .target(name: "CReactor"),
        .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),
        .systemLibrary(name: "CGPS", pkgConfig: "libgps", providers: [.apt(["libgps-dev"])]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CUdev", pkgConfig: "libudev", providers: [.apt(["libudev-dev"])]),
        .target(name: "WireBytes", dependencies: ["CWireBytes"], swiftSettings: wire),
        .target(name: "TerminalModel", swiftSettings: strict),
        .target(
            name: "TerminalProtocols", dependencies: ["WireBytes", "TerminalModel"],
            exclude: ["_Template"], swiftSettings: wire),
        .target(
            name: "TerminalSession", dependencies: ["TerminalProtocols", "TerminalModel"],
            exclude: ["_Template"], swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .target(name: "Geofencing", dependencies: ["TerminalModel"], swiftSettings: strict),
        .target(
            name: "IncidentCore", dependencies: ["TerminalModel", "Geofencing"],
            swiftSettings: strict),
        .target(
            name: "GatewayTelemetry",
            dependencies: [
                "TerminalModel",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ], swiftSettings: strict),
        .target(
            name: "IncidentStore",
            dependencies: [
                "IncidentCore", "Geofencing", "TerminalModel", "GatewayTelemetry",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(
            name: "AlarmPipeline",
            dependencies: [
                "TerminalModel", "Geofencing", "IncidentCore", "IncidentStore", "GatewayTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ], swiftSettings: strict),
        .target(
            name: "AlarmFormats",
            dependencies: [
                "WireBytes", "TerminalModel", "TerminalProtocols", "Geofencing", "IncidentCore",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"),
            ], swiftSettings: strict),
        .target(
            name: "EscalationChannels",
            dependencies: [
                "AlarmPipeline", "IncidentCore", "TerminalModel", "AlarmFormats", "GatewayTelemetry",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .target(name: "Reactor", dependencies: ["CReactor"], swiftSettings: strict),
        .target(
            name: "TerminalTransport",
            dependencies: [
                "Reactor", "TerminalSession", "TerminalProtocols", "TerminalModel", "AlarmPipeline", "GatewayTelemetry",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
            ], swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "TerminalTLS",
            dependencies: [
                "Reactor",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ], swiftSettings: strict),
        .target(
            name: "HostDevices", dependencies: ["CGPS", "CUdev", "TerminalModel"], swiftSettings: strict),
        .target(name: "SirenLatch", dependencies: ["TerminalModel"], swiftSettings: strict),
        .target(
            name: "SirenPlayer", dependencies: ["SirenLatch", "TerminalModel", "CALSA"], swiftSettings: strict),
        .target(
            name: "ControlAPI",
            dependencies: [
                "TerminalModel",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ], swiftSettings: strict),
        .target(
            name: "ReplayKit",
            dependencies: [
                "CPcap", "CReactor", "Reactor", "WireBytes", "TerminalModel", "TerminalProtocols",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ], swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .target(
            name: "GatewayApp",
            dependencies: [
                "TerminalModel", "TerminalProtocols", "TerminalSession", "Geofencing", "IncidentCore",
                "GatewayTelemetry", "IncidentStore", "AlarmPipeline", "AlarmFormats", "EscalationChannels",
                "Reactor", "TerminalTransport", "TerminalTLS", "HostDevices", "ControlAPI", "SirenLatch",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "TOMLKit", package: "TOMLKit"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "yidiantongd",
            dependencies: [
                "GatewayApp", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "yidiantong-siren",
            dependencies: [
                "SirenLatch", "SirenPlayer", "TerminalModel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "ydtctl",
            dependencies: [
                "ControlAPI", "TerminalModel",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "framereplay",
            dependencies: [
                "AlarmFormats", "Reactor", "ReplayKit", "TerminalModel", "TerminalProtocols",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ], swiftSettings: strict),
        .executableTarget(
            name: "compressed-yidiantongd", dependencies: ["AlarmPipeline", "GatewayApp", "TerminalModel"],
            path: "Tests/Support/compressed-yidiantongd", swiftSettings: strict),
        .target(
            name: "CFaultDisk", path: "Tests/Support/CFaultDisk", linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(
            name: "incident-simulation",
            dependencies: [
                "AlarmPipeline", "CFaultDisk", "IncidentStore", "IncidentCore", "TerminalModel",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Logging", package: "swift-log"),
            ], path: "Tests/Simulation", swiftSettings: strict),
        .testTarget(
            name: "ReplayKitTests",
            dependencies: [
                "ReplayKit", "Reactor", "TerminalModel", "TerminalProtocols", "framereplay",
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ], swiftSettings: strict),
        .testTarget(
            name: "SirenTests", dependencies: ["SirenLatch", "SirenPlayer", "TerminalModel"], swiftSettings: strict),
        .testTarget(name: "HostDevicesTests", dependencies: ["HostDevices", "TerminalModel"], swiftSettings: strict),
        .testTarget(name: "ReactorTests", dependencies: ["CReactor", "Reactor"], swiftSettings: strict),
        .testTarget(
            name: "TerminalSessionTests",
            dependencies: ["TerminalSession", "TerminalProtocols", "TerminalModel"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .testTarget(
            name: "GatewayAppTests",
            dependencies: [
                "GatewayApp", "AlarmPipeline", "ControlAPI", "GatewayTelemetry", "HostDevices", "IncidentCore",
                "SirenLatch",
                "TerminalModel", "TerminalProtocols", "TerminalSession", "TerminalTLS", "Reactor",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ], swiftSettings: strict),
        .testTarget(
            name: "ControlAPITests", dependencies: ["ControlAPI", "TerminalModel"], swiftSettings: strict),
        .testTarget(
            name: "IncidentStoreTests",
            dependencies: [
                "IncidentStore", "IncidentCore", "Geofencing", "TerminalModel",
                .product(name: "GRDB", package: "GRDB.swift"),
            ], swiftSettings: strict),
        .testTarget(
            name: "AlarmPipelineTests",
            dependencies: [
                "AlarmPipeline", "IncidentStore", "IncidentCore", "Geofencing", "TerminalModel",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "GatewayTelemetryTests",
            dependencies: [
                "GatewayTelemetry", "TerminalModel",
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(
            name: "AlarmFormatsTests",
            dependencies: ["AlarmFormats", "IncidentCore", "TerminalModel", "TerminalProtocols", "WireBytes"],
            swiftSettings: strict),
        .testTarget(
            name: "EscalationChannelsTests",
            dependencies: [
                "EscalationChannels", "AlarmFormats", "AlarmPipeline", "IncidentCore", "TerminalModel",
                "GatewayTelemetry",
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
            ], swiftSettings: strict),
        .testTarget(
            name: "TerminalTransportTests",
            dependencies: [
                "TerminalTransport", "TerminalSession", "TerminalProtocols", "TerminalModel", "AlarmPipeline",
                "Reactor",
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .testTarget(
            name: "TerminalTLSTests",
            dependencies: [
                "TerminalTLS", "TerminalTransport", "TerminalSession", "TerminalProtocols", "TerminalModel",
                "AlarmPipeline", "Reactor",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
                .product(name: "NIOTLS", package: "swift-nio"),
            ], swiftSettings: strict),
        .testTarget(name: "TerminalModelTests", dependencies: ["TerminalModel"], swiftSettings: strict),
        .testTarget(name: "WireBytesTests", dependencies: ["WireBytes"], swiftSettings: wire),
        .testTarget(
            name: "TerminalProtocolsTests", dependencies: ["TerminalProtocols", "TerminalModel", "WireBytes"],
            swiftSettings: strict + [.enableExperimentalFeature("Lifetimes")]),
        .testTarget(name: "ArchitectureTests", swiftSettings: strict),
        .testTarget(
            name: "IncidentCoreTests", dependencies: ["IncidentCore", "TerminalModel"], swiftSettings: strict),
        .testTarget(
            name: "GeofencingTests", dependencies: ["Geofencing", "TerminalModel"], swiftSettings: strict),
    ]
)
