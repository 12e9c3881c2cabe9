import Foundation
import Testing

/// The import rules: what a target may bring in, beside the standard library.
///
/// Targets that are not in the table are wrong, so that a new one gets its row.
struct ImportTests {
    private struct Rule {
        let allowed: Set<String>
        /// Why more is not.
        let reason: String
    }

    private static let cLibrary: Set<String> = ["Glibc", "Musl", "Foundation", "FoundationEssentials"]
    private static let nio: Set<String> = [
        "NIOCore", "NIOPosix", "NIOHTTP1", "NIOFoundationCompat", "NIOConcurrencyHelpers", "NIOSSL",
    ]

    private static let rules: [String: Rule] = [
        "CWireBytes": Rule(allowed: [], reason: "a C shim stands alone"),
        "CReactor": Rule(allowed: [], reason: "a C shim stands alone"),
        "CALSA": Rule(allowed: [], reason: "a C library stands alone"),
        "CGPS": Rule(allowed: [], reason: "a C library stands alone"),
        "CUdev": Rule(allowed: [], reason: "a C library stands alone"),
        "CPcap": Rule(allowed: [], reason: "a C library stands alone"),
        "WireBytes": Rule(allowed: ["CWireBytes"], reason: "bytes know no domain and no system"),
        "TerminalModel": Rule(
            allowed: ["Synchronization"], reason: "the domain's words need the standard library alone"),
        "TerminalProtocols": Rule(
            allowed: ["WireBytes", "TerminalModel"], reason: "replay and fuzzing run without a loop and a clock"),
        "TerminalSession": Rule(
            allowed: ["TerminalProtocols", "TerminalModel", "Synchronization"],
            reason: "reactor, TLS listener, tests and simulator drive the same session"),
        "Geofencing": Rule(allowed: ["TerminalModel", "Glibc"], reason: "geometry is pure"),
        "IncidentCore": Rule(allowed: ["TerminalModel", "Geofencing"], reason: "time is an argument"),
        "GatewayTelemetry": Rule(
            allowed: cLibrary.union(["TerminalModel", "Logging", "Metrics", "CoreMetrics", "Synchronization"]),
            reason: "names of logs and metrics carry no logic"),
        "IncidentStore": Rule(
            allowed: cLibrary.union([
                "IncidentCore", "Geofencing", "TerminalModel", "GatewayTelemetry", "GRDB", "GRDBSQLite", "Logging",
                "Synchronization",
            ]), reason: "the store knows no network"),
        "AlarmPipeline": Rule(
            allowed: cLibrary.union([
                "TerminalModel", "Geofencing", "IncidentCore", "IncidentStore", "GatewayTelemetry", "CoreMetrics",
                "Logging", "Synchronization",
            ]), reason: "deciding and committing need no network"),
        "AlarmFormats": Rule(
            allowed: cLibrary.union([
                "WireBytes", "TerminalModel", "TerminalProtocols", "IncidentCore", "Geofencing", "Crypto",
                "CryptoExtras",
            ]),
            reason: "formats render notices, open and seal the frames of panels, and know no network"),
        "EscalationChannels": Rule(
            allowed: cLibrary.union(nio).union([
                "AlarmPipeline", "IncidentCore", "TerminalModel", "AlarmFormats", "GatewayTelemetry",
                "AsyncHTTPClient", "CoreMetrics", "Logging", "Synchronization",
            ]), reason: "a channel implements the pipeline's protocol and knows no terminal"),
        "Reactor": Rule(
            allowed: ["CReactor", "Glibc", "Synchronization"], reason: "the reactor knows no protocol"),
        "TerminalTransport": Rule(
            allowed: cLibrary.union([
                "Reactor", "TerminalSession", "TerminalProtocols", "TerminalModel", "AlarmPipeline",
                "GatewayTelemetry", "CoreMetrics", "Logging", "Synchronization",
            ]), reason: "the terminal plane runs on the reactor, not on NIO"),
        "TerminalTLS": Rule(
            allowed: ["Reactor", "NIOCore", "NIOEmbedded", "NIOSSL", "NIOTLS", "Synchronization"],
            reason: "TLS changes bytes on their way through a loop and knows no terminal"),
        "HostDevices": Rule(
            allowed: cLibrary.union(["CGPS", "CUdev", "TerminalModel", "Synchronization"]),
            reason: "it finds ports and fixes and opens nothing for others"),
        "SirenLatch": Rule(
            allowed: ["TerminalModel", "Glibc"], reason: "gateway and siren share a few files and nothing else"),
        "SirenPlayer": Rule(
            allowed: cLibrary.union(["CALSA", "SirenLatch", "TerminalModel", "Synchronization"]),
            reason: "the siren knows no incident and no network"),
        "ControlAPI": Rule(
            allowed: cLibrary.union(nio).union(["TerminalModel", "AsyncHTTPClient", "Synchronization"]),
            reason: "daemon and tools share it"),
        "ReplayKit": Rule(
            allowed: cLibrary.union([
                "CPcap", "CReactor", "Reactor", "WireBytes", "TerminalModel", "TerminalProtocols", "Histogram",
                "Synchronization",
            ]), reason: "replay works without a daemon"),
    ]

    /// Targets that wire everything together may import what the package has.
    private static let open: Set<String> = ["GatewayApp", "yidiantongd", "ydtctl", "framereplay", "yidiantong-siren"]

    private static let sources = URL(filePath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Sources")

    @Test func everyTargetImportsOnlyWhatItsRowNames() throws {
        let targets = try FileManager.default.contentsOfDirectory(atPath: Self.sources.path()).sorted()
        #expect(targets.contains("TerminalProtocols"))
        for target in targets where !Self.open.contains(target) {
            guard let rule = Self.rules[target] else {
                Issue.record("target \(target) has no row in the import rules")
                continue
            }
            for (file, module) in try Self.imports(of: target) where !rule.allowed.contains(module) {
                Issue.record("no \(module) in \(target) (\(file)): \(rule.reason)")
            }
        }
    }

    @Test func importLinesAreRecognised() {
        #expect(Self.module(of: "import NIOCore") == "NIOCore")
        #expect(Self.module(of: "public import TerminalModel") == "TerminalModel")
        #expect(Self.module(of: "@testable import WireBytes") == "WireBytes")
        #expect(Self.module(of: "import struct Foundation.URL") == "Foundation")
        #expect(Self.module(of: "@preconcurrency internal import Metrics // why") == "Metrics")
        #expect(Self.module(of: "// import NIOCore") == nil)
        #expect(Self.module(of: "let important = 1") == nil)
    }

    private static func imports(of target: String) throws -> [(file: String, module: String)] {
        let folder = sources.appending(path: target)
        guard let walker = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else {
            return []
        }
        var found: [(String, String)] = []
        for case let url as URL in walker where url.pathExtension == "swift" {
            let text = try String(contentsOf: url, encoding: .utf8)
            for line in text.split(separator: "\n") {
                if let module = module(of: String(line)) { found.append((url.lastPathComponent, module)) }
            }
        }
        return found
    }

    /// The module that a line imports, nil for any other line.
    private static func module(of line: String) -> String? {
        var words = line.split(separator: " ").map(String.init)
        while let first = words.first,
            first.hasPrefix("@") || ["public", "internal", "private", "package", "fileprivate"].contains(first)
        {
            words.removeFirst()
        }
        guard words.first == "import", words.count > 1 else { return nil }
        words.removeFirst()
        if ["struct", "class", "enum", "protocol", "func", "var", "let", "typealias"].contains(words[0]),
            words.count > 1
        {
            words.removeFirst()
        }
        return words[0].split(separator: ".").first.map(String.init)
    }
}
