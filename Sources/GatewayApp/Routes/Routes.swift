import ControlAPI
import IncidentCore
import TerminalModel

/// All routes in the order of their place and method; a test keeps the order.
enum Routes {
    static let all: [Route] = [
        health, metrics, ready, backup, care, commission, devices, drill, events, fenceList, fenceDelete, fenceGet,
        fencePut,
        importFences,
        importPeople, incidentList, incidentGet, incidentAcknowledge, incidentAssign, incidentClose, incidentHandover,
        incidentNote, incidentReal, document, peopleList, personDelete, personGet, personPut, testPressGet,
        testPressPost, policyTest, report, sirenTest, status, terminalList, terminalGet,
        terminalAssign, commandList, commandPost, track, testPressList,
    ]

    static let table = RouteTable(routes: all)

    // Parts that many routes share.

    static let limit = Route.Parameter(name: "limit", schema: .integer(1...1000), note: "100 when absent")
    static let terminalParameter = Route.Parameter(
        name: "terminal", schema: .terminal, note: "the terminal's id, leading zeros do not matter")
    static let incidentParameter = Route.Parameter(name: "incident", schema: .incident, note: "the incident's id")

    static func terminalID(_ input: RouteInput) throws -> TerminalID {
        guard let id = TerminalID(input.path("terminal")) else { throw Problem.notFound("such terminal") }
        return id
    }

    static func incidentID(_ input: RouteInput) throws -> IncidentID {
        guard let id = IncidentID(input.path("incident")) else { throw Problem.notFound("such incident") }
        return id
    }

    static func actor(_ id: String, _ input: RouteInput) -> Operator {
        Operator(id: id, unixUser: input.unixUser)
    }

    /// Where no operator is claimed, the Unix user acts.
    static func actor(_ input: RouteInput) -> Operator {
        Operator(id: input.query["operator"] ?? input.unixUser, unixUser: input.unixUser)
    }

    static let operatorParameter = Route.Parameter(
        name: "operator", schema: Shapes.operatorID, note: "who does it; the Unix user when absent")
}
