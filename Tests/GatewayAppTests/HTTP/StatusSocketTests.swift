import ControlAPI
import Foundation
import Glibc
import Logging
import ServiceLifecycle
import Synchronization
import TerminalModel
import Testing
import UnixSignals

@testable import GatewayApp

/// Serves a fake gateway on a socket of its own while `body` runs.
func withStatusSocket<Result: Sendable>(
    _ operations: FakeOperations = FakeOperations(),
    _ body: @escaping @Sendable (ControlClient, FakeOperations) async throws -> Result
) async throws -> Result {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("ydt-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    let path = directory.appendingPathComponent("s").path
    let (listening, continuation) = AsyncStream.makeStream(of: Void.self)
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let socket = StatusSocket(path: path, operations: operations, logger: logger) { continuation.finish() }
    let group = ServiceGroup(configuration: .init(services: [socket], logger: logger))
    return try await withThrowingTaskGroup(of: Void.self) { tasks in
        tasks.addTask { try await group.run() }
        for await _ in listening {}
        let result = try await body(ControlClient(socketPath: path, timeoutSeconds: 5), operations)
        await group.triggerGracefulShutdown()
        try await tasks.waitForAll()
        return result
    }
}

private func problem(_ body: () async throws -> Void) async -> Problem? {
    do {
        try await body()
        return nil
    } catch ControlClientError.refused(let problem) {
        return problem
    } catch {
        Issue.record("\(error)")
        return nil
    }
}

@Suite struct StatusSocketTests {
    @Test func everyAnswerFitsItsSchema() async throws {
        try await withStatusSocket { client, _ in
            for path in [
                "/v1/status", "/healthz", "/readyz", "/v1/terminals", "/v1/terminals/017700000101",
                "/v1/terminals/17700000101/track", "/v1/terminals/17700000101/commands", "/v1/incidents",
                "/v1/incidents/0123456789ABCDEF", "/v1/people", "/v1/fences", "/v1/openapi.json",
            ] {
                let data = try await client.request("GET", path)
                guard case .route(let route, _) = Routes.table.match(method: "GET", path: path) else {
                    Issue.record("no route \(path)")
                    continue
                }
                let tree = try ControlJSON.decode(JSONTree.self, from: data)
                let response = try #require(route.responses.first { $0.status == 200 })
                try response.content[0].schema.validate(tree)
            }
            let geo = try await client.request("GET", "/v1/terminals/1/track", query: [("format", "geojson")])
            try Shapes.trackCollection.validate(try ControlJSON.decode(JSONTree.self, from: geo))
        }
    }

    @Test func personGoesInAndComesBackAndGoes() async throws {
        try await withStatusSocket { client, _ in
            var card = PersonCard(id: "", name: "刘奶奶")
            card.contacts = [ContactCard(name: "李梅", phone: "+86 731 8888 0000", guardian: true)]
            card.services = ["emergency"]
            let body = try ControlJSON.encode(card)
            let withID = await problem {
                _ = try await client.request("PUT", "/v1/people/p-1", contentType: "application/json", body: body)
            }
            #expect(withID?.pointer == "/id")
            var tree = try ControlJSON.decode([String: JSONTree].self, from: body)
            tree["id"] = nil
            let stored = try await client.send("PUT", "/v1/people/p-1", tree, as: PersonCard.self)
            card.id = "p-1"
            #expect(stored == card)
            let page = try await client.get(PersonPage.self, "/v1/people")
            #expect(page.people == [card])
            _ = try await client.request("DELETE", "/v1/people/p-1")
            let again = await problem { _ = try await client.request("DELETE", "/v1/people/p-1") }
            #expect(again?.status == 404)
        }
    }

    @Test(arguments: ["120", "0731-120", "+86 120", "9 0731 120", "12345678901234567890123456"])
    func aCardsNumbersPassTheGuardOfEmergencyNumbers(number: String) async throws {
        try await withStatusSocket { client, _ in
            func put(_ card: PersonCard) async throws -> Problem? {
                var tree = try ControlJSON.decode([String: JSONTree].self, from: try ControlJSON.encode(card))
                tree["id"] = nil
                let body = try ControlJSON.encode(tree)
                return await problem {
                    _ = try await client.request("PUT", "/v1/people/p-1", contentType: "application/json", body: body)
                }
            }
            var own = PersonCard(id: "p-1", name: "刘奶奶")
            own.phone = number
            let refusedOwn = try await put(own)
            #expect(refusedOwn?.pointer == "/phone" && refusedOwn?.status == 403)
            var others = PersonCard(id: "p-1", name: "刘奶奶")
            others.contacts = [ContactCard(name: "急救", phone: number)]
            let refusedOther = try await put(others)
            #expect(refusedOther?.pointer == "/contacts/0/phone" && refusedOther?.status == 403)
        }
    }

    @Test func operatorAndUnixUserAreBothRecorded() async throws {
        try await withStatusSocket { client, operations in
            var action = IncidentActionRequest(operator: "op-7")
            action.reason = "on the phone with her"
            let path = "/v1/incidents/0123456789ABCDEF/acknowledge"
            let incident = try await client.send("POST", path, action, as: IncidentView.self)
            #expect(incident.state == "acknowledged")
            let user = PeerCredentials.name(of: getuid())
            #expect(
                operations.state.withLock { $0.acts } == [
                    "op-7 \(user) acknowledge(reason: \"on the phone with her\")"
                ])
            let again = await problem { _ = try await client.send("POST", path, action, as: IncidentView.self) }
            #expect(again?.status == 409)
            action.reason = nil
            let silent = await problem { _ = try await client.send("POST", path, action, as: IncidentView.self) }
            #expect(silent?.pointer == "/reason")
            #expect(silent?.found == "nothing")
        }
    }

    @Test(arguments: [
        ("GET", "/v1/nothing", "", "", 404, "not_found"),
        ("GET", "/v1/status/", "", "", 404, "not_found"),
        ("PATCH", "/v1/status", "", "", 405, "method_not_allowed"),
        ("GET", "/v1/status?x=1", "", "", 400, "request_invalid"),
        ("GET", "/v1/terminals?limit=0", "", "", 400, "request_invalid"),
        ("GET", "/v1/terminals?limit=1&limit=2", "", "", 400, "request_invalid"),
        ("GET", "/v1/terminals?after=%FF", "", "", 400, "request_invalid"),
        ("GET", "/v1/incidents/xyz", "", "", 400, "request_invalid"),
        ("GET", "/v1/incidents/FFFFFFFFFFFFFFFF", "", "", 404, "not_found"),
        ("POST", "/v1/backup", "", "{}", 415, "media_type_unsupported"),
        ("POST", "/v1/backup", "text/plain", "{}", 415, "media_type_unsupported"),
        ("POST", "/v1/backup", "application/json; charset=gbk", "{}", 415, "media_type_unsupported"),
        ("POST", "/v1/backup", "application/json", "{", 400, "request_invalid"),
        ("POST", "/v1/backup", "application/json", "", 400, "request_invalid"),
        ("POST", "/v1/backup", "application/json", "[]", 400, "request_invalid"),
        ("POST", "/v1/backup", "application/json", "{\"operator\":\"\"}", 400, "request_invalid"),
        ("POST", "/v1/backup", "application/json", "{\"operator\":\"a\",\"b\":1}", 400, "request_invalid"),
        (
            "POST", "/v1/terminals/1/commands", "application/json", "{\"operator\":\"a\",\"command\":\"fly\"}", 400,
            "request_invalid"
        ),
        (
            "POST", "/v1/terminals/1/commands", "application/json", "{\"operator\":\"a\",\"command\":\"locate\"}", 404,
            "not_found"
        ),
        (
            "PUT", "/v1/terminals/1/assignment", "application/json", "{\"operator\":\"a\",\"person\":\"nobody\"}", 404,
            "not_found"
        ),
    ])
    func wrongRequestsAreRefusedWithAReason(
        method: String, path: String, type: String, body: String, status: Int, code: String
    ) async throws {
        try await withStatusSocket { client, _ in
            let refusal = await problem {
                let parts = path.split(separator: "?", maxSplits: 1)
                _ = try await client.request(
                    method, parts.count == 2 ? path : String(parts[0]), contentType: type.isEmpty ? nil : type,
                    body: method == "GET" || method == "PATCH" ? nil : Data(body.utf8))
            }
            #expect(refusal?.status == status)
            #expect(refusal?.code == code)
        }
    }

    @Test func malformedJSONNamesItsPlace() async throws {
        try await withStatusSocket { client, _ in
            let refusal = await problem {
                _ = try await client.request(
                    "POST", "/v1/backup", contentType: "application/json", body: Data("{\n\"operator\": a}".utf8))
            }
            #expect(refusal?.found?.contains("line 2") == true, "\(String(describing: refusal))")
        }
    }

    @Test func tooLargeABodyIsRefused() async throws {
        try await withStatusSocket { client, _ in
            let refusal = await problem {
                _ = try await client.request(
                    "POST", "/v1/backup", contentType: "application/json", body: Data(repeating: 0x20, count: 70_000))
            }
            #expect(refusal?.status == 413)
        }
    }

    @Test func faultInsideIsAnsweredWith503() async throws {
        try await withStatusSocket { client, operations in
            operations.state.withLock { $0.failure = "disk" }
            let refusal = await problem { _ = try await client.request("GET", "/v1/status") }
            #expect(refusal?.status == 503)
        }
    }

    @Test func eventsArriveWhileTheyHappen() async throws {
        try await withStatusSocket { client, operations in
            var iterator = client.events().makeAsyncIterator()
            let publisher = Task {
                while !operations.hub.isWatched { await Task.yield() }
                operations.hub.publish(ServerEvent(name: "incident", data: "{\"id\":1}"))
            }
            let event = try await iterator.next()
            #expect(event == ControlEvent(name: "incident", data: "{\"id\":1}"))
            await publisher.value
        }
    }

    @Test func socketHasItsModeAndIsRemoved() async throws {
        let path = try await withStatusSocket { client, _ in
            var status = stat()
            #expect(stat(client.socketPath, &status) == 0)
            #expect(status.st_mode & 0o777 == StatusSocket.mode)
            #expect(throws: SocketFileError.self) { try SocketFile.prepare(client.socketPath) }
            return client.socketPath
        }
        #expect(access(path, F_OK) != 0)
    }

    @Test func staleSocketIsRemovedAndOtherFilesAreNot() throws {
        let directory = FileManager.default.temporaryDirectory.appendingPathComponent(
            "ydt-\(UUID().uuidString.prefix(8))")
        let path = directory.appendingPathComponent("s").path
        try SocketFile.prepare(path)
        #expect(access(directory.path, W_OK) == 0)
        defer { try? FileManager.default.removeItem(at: directory) }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        #expect(bound == 0)
        close(descriptor)
        try SocketFile.prepare(path)
        #expect(access(path, F_OK) != 0)
        try Data("x".utf8).write(to: URL(fileURLWithPath: path))
        #expect(throws: SocketFileError.self) { try SocketFile.prepare(path) }
    }

    @Test func clientSaysWhyNobodyAnswers() async {
        let client = ControlClient(socketPath: "/nowhere/s")
        await #expect(throws: ControlClientError.notRunning(socketPath: "/nowhere/s")) {
            try await client.request("GET", "/v1/status")
        }
    }

    /// Serves for as long as a person or a tool wants to try requests: `YDT_SERVE_SOCKET=/tmp/s swift test --filter serves`.
    @Test(.enabled(if: ProcessInfo.processInfo.environment["YDT_SERVE_SOCKET"] != nil))
    func servesUntilItIsEnded() async throws {
        let path = ProcessInfo.processInfo.environment["YDT_SERVE_SOCKET"] ?? ""
        let socket = StatusSocket(path: path, operations: FakeOperations(), logger: Logger(label: "test"))
        try await ServiceGroup(
            configuration: .init(services: [socket], gracefulShutdownSignals: [.sigterm], logger: Logger(label: "test"))
        ).run()
    }
}

@Suite struct RouteTableTests {
    @Test func routesAreSortedByPlaceAndMethod() {
        let order = Routes.all.map { "\($0.template) \($0.method.rawValue)" }
        #expect(order == order.sorted())
        #expect(Set(order).count == order.count)
        #expect(Set(Routes.all.map(\.operation)).count == order.count)
    }

    /// The file in the repository is the document that is served: `YDT_WRITE_DOCUMENT=1 swift test --filter document`.
    @Test func documentInTheRepositoryIsTheOneServed() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("openapi.json")
        if ProcessInfo.processInfo.environment["YDT_WRITE_DOCUMENT"] != nil {
            try OpenAPIDocument.text.write(to: file, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: file, encoding: .utf8) == OpenAPIDocument.text)
    }

    @Test func everyParameterOfATemplateIsDeclared() {
        for route in Routes.all {
            let names = route.segments.filter { $0.hasPrefix("{") }.map { String($0.dropFirst().dropLast()) }
            #expect(names == route.pathParameters.map(\.name))
        }
    }
}
