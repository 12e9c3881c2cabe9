import AlarmPipeline
import ControlAPI
import Foundation
import TerminalModel

extension Routes {
    static let terminalList = Route(
        method: .get, template: "/v1/terminals", operation: "listTerminals",
        summary: "Terminals with their last state, in the order of their ids",
        queryParameters: [
            .init(name: "person", schema: .identifier, note: "only those of this person"),
            .init(name: "online", schema: .boolean, note: "only those that are connected, or only the others"),
            .init(name: "after", schema: .terminal, note: "the `next` of the page before"), limit,
        ],
        responses: [.json(200, "A page of terminals.", Shapes.terminalPage)]
    ) { input, operations in
        var query = TerminalQuery()
        query.person = input.query["person"]
        query.online = input.query["online"].map { $0 == "true" }
        query.after = input.query["after"].flatMap { TerminalID($0) }
        query.limit = input.integer("limit", default: 100)
        return try .json(await operations.terminals(query))
    }

    static let terminalGet = Route(
        method: .get, template: "/v1/terminals/{terminal}", operation: "getTerminal",
        summary: "One terminal with its last state", pathParameters: [terminalParameter],
        responses: [.json(200, "The terminal.", Shapes.terminal), .problem(404, "Nobody has heard of it.")]
    ) { input, operations in
        let id = try terminalID(input)
        guard let view = try await operations.terminal(id) else { throw Problem.notFound("terminal \(id)") }
        return try .json(view)
    }

    static let terminalAssign = Route(
        method: .put, template: "/v1/terminals/{terminal}/assignment", operation: "assignTerminal",
        summary: "Says whose terminal it is and how it is to be read", pathParameters: [terminalParameter],
        body: .json(Shapes.assignment),
        responses: [
            .json(200, "The terminal afterwards.", Shapes.terminal), .problem(404, "There is no such person."),
        ]
    ) { input, operations in
        let request = try input.decode(AssignmentRequest.self)
        let id = try terminalID(input)
        if let person = request.person, try await operations.person(person) == nil {
            throw Problem.notFound("person \"\(person)\"")
        }
        return try .json(await operations.assign(id, request, by: actor(request.operator, input)))
    }

    static let commandList = Route(
        method: .get, template: "/v1/terminals/{terminal}/commands", operation: "listCommands",
        summary: "What the terminal was asked to do and what became of it, the newest first",
        pathParameters: [terminalParameter], queryParameters: [limit],
        responses: [.json(200, "The commands.", Shapes.commandList)]
    ) { input, operations in
        try .json(await operations.commands(terminalID(input), limit: input.integer("limit", default: 100)))
    }

    static let commandPost = Route(
        method: .post, template: "/v1/terminals/{terminal}/commands", operation: "sendCommand",
        summary: "Asks something of the terminal: it is queued, expires, and its outcome is kept",
        pathParameters: [terminalParameter], body: .json(Shapes.command),
        responses: [
            .json(202, "The command was queued.", Shapes.commandView),
            .problem(403, "The number may not be dialled."), .problem(404, "Nobody has heard of the terminal."),
            .problem(409, "Too many commands wait for this terminal."),
        ]
    ) { input, operations in
        let request = try input.decode(CommandRequest.self)
        let command = try await operations.command(
            terminalID(input), terminalCommand(request), expiresSeconds: request.expiresSeconds ?? 86_400,
            by: actor(request.operator, input))
        return try .json(command, status: 202)
    }

    private static func terminalCommand(_ request: CommandRequest) throws -> TerminalCommand {
        switch request.command {
        case "locate": return .locate
        case "message": return .message(text: request.text ?? "", urgent: request.urgent ?? false)
        case "call-back": return .callBack(number: request.number ?? "", listen: request.listen ?? false)
        case "report-interval": return .reportInterval(seconds: request.seconds ?? 0)
        case "track":
            return .track(
                intervalSeconds: request.intervalSeconds ?? 0, durationSeconds: request.durationSeconds ?? 0)
        case "find": return .find
        case "set-numbers":
            let purpose = request.purpose.flatMap(NumberPurpose.init) ?? .family
            return .setNumbers(purpose, request.numbers ?? [])
        case "fall-detection": return .fallDetection(isOn: request.enabled ?? true)
        case "restart": return .restart
        case "power-off": return .powerOff
        default:
            throw Problem.request(pointer: "/command", found: request.command, allowed: Shapes.command.allowed)
        }
    }

    static let track = Route(
        method: .get, template: "/v1/terminals/{terminal}/track", operation: "getTrack",
        summary: "Stored positions, the oldest first; the last day unless a time is named",
        pathParameters: [terminalParameter],
        queryParameters: [
            .init(name: "from", schema: .time, note: "a day before `to` when absent"),
            .init(name: "to", schema: .time, note: "now when absent"),
            .init(name: "limit", schema: .integer(1...10_000), note: "1000 when absent"),
            .init(name: "format", schema: .choice(["geojson", "json"]), note: "json when absent"),
        ],
        responses: [
            Route.Response(
                status: 200, note: "The positions.",
                content: [
                    ("application/json", Shapes.track), ("application/geo+json", Shapes.trackCollection),
                ])
        ]
    ) { input, operations in
        let now = SystemClock.now().wall
        let to = input.query["to"].flatMap { Timestamp(rfc3339: $0) } ?? now
        let from = input.query["from"].flatMap { Timestamp(rfc3339: $0) } ?? to.adding(milliseconds: -86_400_000)
        let track = try await operations.track(
            terminalID(input), from: from, to: to, limit: input.integer("limit", default: 1000))
        guard input.query["format"] == "geojson" else { return try .json(track) }
        return try .json(TrackCollection(track), mediaType: "application/geo+json")
    }
}

/// A track as GeoJSON: one point feature a position.
private struct TrackCollection: Encodable {
    struct Feature: Encodable {
        struct Geometry: Encodable {
            var type = "Point"
            var coordinates: [Double]
        }

        var type = "Feature"
        var geometry: Geometry
        var properties: TrackPoint
    }

    var type = "FeatureCollection"
    var features: [Feature]

    init(_ track: Track) {
        features = track.points.map {
            Feature(geometry: .init(coordinates: [$0.longitude, $0.latitude]), properties: $0)
        }
    }
}
