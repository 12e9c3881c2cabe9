import CoreMetrics
import GatewayTelemetry
import TerminalModel
import TerminalProtocols
import TerminalSession

/// The counters of the terminal plane, looked up once.
struct TransportMetrics: Sendable {
    let bytesReceived = CaseTable<Bearer, Counter> { GatewayMetric.bytesReceived.counter($0.rawValue) }
    let connectionsAccepted = CaseTable<Bearer, Counter> { GatewayMetric.connectionsAccepted.counter($0.rawValue) }
    let connectionsOpen = CaseTable<Bearer, Meter> { GatewayMetric.connectionsOpen.gauge($0.rawValue) }
    let terminalsConnected = CaseTable<Bearer, Meter> { GatewayMetric.terminalsConnected.gauge($0.rawValue) }
    let framesReceived = CaseTable<ProtocolName, Counter> { GatewayMetric.framesReceived.counter($0.rawValue) }
    let retransmissions = CaseTable<ProtocolName, Counter> { GatewayMetric.retransmissions.counter($0.rawValue) }
    let alarmAcknowledgements = GatewayMetric.acknowledgementsSent.counter("alarm")
    let positionAcknowledgements = GatewayMetric.acknowledgementsSent.counter("position")
    let withheld = GatewayMetric.acknowledgementsWithheld.counter("store_error")
    let strayDatagrams = GatewayMetric.datagramsStray.counter()
    let baudsTried = GatewayMetric.serialBaudsTried.counter()
    let mailDropped = GatewayMetric.queueDropped.counter("loop", "full")
    private let framesRejected = CaseTable<ProtocolName, CaseTable<DecodeError.Code, Counter>> { name in
        CaseTable { GatewayMetric.framesRejected.counter(name.rawValue, $0.rawValue) }
    }
    private let connectionsClosed = CaseTable<Bearer, [String: Counter]> { bearer in
        Dictionary(
            uniqueKeysWithValues: closeReasons.map {
                ($0, GatewayMetric.connectionsClosed.counter(bearer.rawValue, $0))
            })
    }
    private let authentications = CaseTable<Trust, Counter> { GatewayMetric.authentications.counter($0.rawValue) }

    private static let closeReasons = [
        "peer", "idle", "slow_frame", "write_limit", "replaced", "limit", "protocol", "error", "shutdown",
    ]

    func rejected(_ error: DecodeError) {
        framesRejected[error.protocolName][error.code].increment()
    }

    func closed(_ bearer: Bearer, _ reason: String) {
        connectionsClosed[bearer][reason]?.increment()
    }

    func identified(_ trust: Trust) {
        authentications[trust].increment()
    }
}

/// One value for each case of a small enum, found without hashing the case's name, which a frame would pay for several times.
struct CaseTable<Case: CaseIterable & Equatable & Sendable, Value: Sendable>: Sendable {
    private let cases: [Case]
    private let values: [Value]

    init(_ make: (Case) -> Value) {
        cases = Array(Case.allCases)
        values = cases.map(make)
    }

    subscript(one: Case) -> Value {
        guard let index = cases.firstIndex(of: one) else { preconditionFailure("allCases lists every case") }
        return values[index]
    }
}
