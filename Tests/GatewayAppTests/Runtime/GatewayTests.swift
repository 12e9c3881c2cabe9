import ControlAPI
import Foundation
import GatewayTelemetry
import Logging
import Reactor
import ServiceLifecycle
import TerminalModel
import Testing

@testable import GatewayApp

/// A gateway with stores, sockets and a port of its own while `body` runs.
private func withGateway<Result: Sendable>(
    _ more: String = "", _ body: @escaping @Sendable (Gateway, ControlClient, URL) async throws -> Result
) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ydt-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let file = directory.appendingPathComponent("yidiantong.toml")
    let text = """
        [gateway]
        state_directory = "\(directory.path)/state"
        socket = "\(directory.path)/s"
        [reactor]
        threads = 1
        [[listener]]
        tcp = "127.0.0.1:\(try freePort())"
        \(more)
        """
    try text.write(to: file, atomically: true, encoding: .utf8)
    let configuration = try GatewayConfiguration.load(path: file.path)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let gateway = try Gateway(
        configuration, configurationPath: file.path, registry: PrometheusRegistry(), logger: logger)
    let group = ServiceGroup(configuration: .init(services: [gateway], logger: logger))
    let client = ControlClient(socketPath: "\(directory.path)/s", timeoutSeconds: 5)
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        let addresses = await gateway.serving()
        #expect(addresses.first?.hasPrefix("127.0.0.1:") == true)
        let result = try await body(gateway, client, file)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

/// A port that nobody has now, so that a reload finds the same one in the file.
private func freePort() throws -> UInt16 {
    let socket = try ListeningSocket(
        binding: SocketAddress(ipv4: 0x7F00_0001, port: 0), limits: Reactor.ReactorLimits())
    defer { socket.close() }
    return socket.address.port
}

private func makeGateway(_ configuration: GatewayConfiguration) throws -> Gateway {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return try Gateway(configuration, configurationPath: nil, registry: PrometheusRegistry(), logger: logger)
}

@Suite struct GatewayTests {
    @Test func startsAnswersAndEnds() async throws {
        try await withGateway { _, client, _ in
            let status = try await client.get(GatewayStatus.self, "/v1/status")
            #expect(status.ready && status.healthy && !status.commissioned)
            let request = CommissionRequest(operator: "op-1", reason: "test")
            _ = try await client.send("POST", "/v1/commission", request, as: CommissionReport.self)
            let after = try await client.get(GatewayStatus.self, "/v1/status")
            #expect(after.commissioned)
        }
    }

    @Test func aFileWithFaultsChangesNothing() async throws {
        try await withGateway { gateway, _, file in
            let good = try String(contentsOf: file, encoding: .utf8)
            try (good + "\n[rulez]\n").write(to: file, atomically: true, encoding: .utf8)
            let error = await #expect(throws: ConfigurationError.self) { try await gateway.reload() }
            #expect(error?.issues.map(\.keyPath) == ["rulez"])
            try (good + "\n[rules]\nlow_battery_percent = 20\n").write(to: file, atomically: true, encoding: .utf8)
            try await gateway.reload()
        }
    }

    @Test func aFileWithoutAnyLineToTerminalsIsRefused() async throws {
        try await withGateway { gateway, _, file in
            try Data().write(to: file)
            let error = await #expect(throws: ConfigurationError.self) { try await gateway.reload() }
            #expect(error?.issues.map(\.keyPath) == ["listener"])
        }
    }

    @Test func aFaultOfATargetNamesItsLine() async throws {
        try await withGateway { gateway, _, file in
            let good = try String(contentsOf: file, encoding: .utf8)
            let secret = file.deletingLastPathComponent().appendingPathComponent("hub.secret")
            try "no secret".write(to: secret, atomically: true, encoding: .utf8)
            chmod(secret.path, 0o600)
            let target = """

                [[target]]
                name = "hub"
                url = "https://hub.example.org/"
                secret_files = ["\(secret.path)"]
                [[policy]]
                service = "emergency"
                steps = [{ targets = ["hub"] }]
                """
            try (good + target).write(to: file, atomically: true, encoding: .utf8)
            let line = good.split(separator: "\n", omittingEmptySubsequences: false).count + 4
            let error = await #expect(throws: GatewayStartError.self) { try await gateway.reload() }
            #expect(error?.description.hasPrefix("\(file.path):\(line): target[0].secret_files: ") == true)
        }
    }

    @Test func aSecondGatewayStaysOutOfTheStateDirectory() async throws {
        let directory = try await withGateway { _, _, file in
            var configuration = try GatewayConfiguration.load(path: file.path)
            configuration.gateway.socketPath += "2"
            let error = #expect(throws: GatewayStartError.self) { try makeGateway(configuration) }
            #expect(error?.description.contains("another gateway") == true)
            return configuration.gateway.stateDirectory
        }
        // The first one has ended and let go.
        var configuration = GatewayConfiguration()
        configuration.gateway.stateDirectory = directory
        defer { try? FileManager.default.removeItem(atPath: (directory as NSString).deletingLastPathComponent) }
        _ = try makeGateway(configuration)
    }

    @Test func terminalsWaitForTheStatusSocket() async throws {
        let directory = NSTemporaryDirectory() + "ydt-\(UUID().uuidString.prefix(8))"
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: directory + "/s"))
        var configuration = GatewayConfiguration()
        configuration.gateway.stateDirectory = directory
        configuration.gateway.socketPath = directory + "/s"
        configuration.listeners = [.init(protocols: [.jt808], address: ListenAddress(host: "127.0.0.1", port: 0))]
        let gateway = try makeGateway(configuration)
        await #expect(throws: SocketFileError.self) { try await gateway.run() }
        #expect(gateway.terminalAddresses.isEmpty, "nobody was answered by a gateway that could not start")
    }

    @Test func modelsThatTheSiteTrustsAreListedAsTrusted() async throws {
        try await withGateway("[[model]]\nname = \"pager-1\"\ntrust_by_id = true") { _, client, _ in
            let csv = Data("id,name,terminals,model\np1,a,1,pager-1\np2,b,2,other\n".utf8)
            _ = try await client.request("POST", "/v1/import/people", contentType: "text/csv", body: csv)
            let page = try await client.get(TerminalPage.self, "/v1/terminals")
            #expect(page.terminals.map(\.trustByID) == [true, false])
        }
    }

    @Test func pagesOfTerminalsGoOnWhereTheLastOneEnded() async throws {
        try await withGateway { _, client, _ in
            let rows = (1...7).map { "p\($0),n,\(100 + $0)" }.joined(separator: "\n")
            let csv = Data("id,name,terminals\n\(rows)\n".utf8)
            _ = try await client.request("POST", "/v1/import/people", contentType: "text/csv", body: csv)
            var seen: [String] = []
            var query = [("limit", "3")]
            while true {
                let page = try await client.get(TerminalPage.self, "/v1/terminals", query: query)
                seen += page.terminals.map(\.terminal)
                guard let next = page.next else { break }
                query = [("limit", "3"), ("after", next)]
            }
            #expect(seen == (101...107).map(String.init))
        }
    }
}
