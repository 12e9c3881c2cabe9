import CoreMetrics
import GatewayTelemetry
import TerminalModel
import TerminalProtocols
import TerminalSession

/// The counters of the terminal plane, looked up once.
struct TransportMetrics: Sendable {
    let bytesReceived: [Bearer: Counter]
    let connectionsAccepted: [Bearer: Counter]
    let connectionsOpen: [Bearer: Meter]
    let terminalsConnected: [Bearer: Meter]
    let framesReceived: [ProtocolName: Counter]
    let retransmissions: [ProtocolName: Counter]
    let alarmAcknowledgements = GatewayMetric.acknowledgementsSent.counter("alarm")
    let positionAcknowledgements = GatewayMetric.acknowledgementsSent.counter("position")
    let withheld = GatewayMetric.acknowledgementsWithheld.counter("store_error")
    let strayDatagrams = GatewayMetric.datagramsStray.counter()
    let baudsTried = GatewayMetric.serialBaudsTried.counter()
    let mailDropped = GatewayMetric.queueDropped.counter("loop", "full")
    private let framesRejected: [ProtocolName: [DecodeError.Code: Counter]]
    private let connectionsClosed: [Bearer: [String: Counter]]
    private let authentications: [Trust: Counter]

    private static let closeReasons = [
        "peer", "idle", "slow_frame", "write_limit", "replaced", "limit", "protocol", "error", "shutdown",
    ]

    init() {
        func eachBearer<Value>(_ make: (Bearer) -> Value) -> [Bearer: Value] {
            Dictionary(uniqueKeysWithValues: Bearer.allCases.map { ($0, make($0)) })
        }
        func eachProtocol<Value>(_ make: (ProtocolName) -> Value) -> [ProtocolName: Value] {
            Dictionary(uniqueKeysWithValues: ProtocolName.allCases.map { ($0, make($0)) })
        }
        bytesReceived = eachBearer { GatewayMetric.bytesReceived.counter($0.rawValue) }
        connectionsAccepted = eachBearer { GatewayMetric.connectionsAccepted.counter($0.rawValue) }
        connectionsOpen = eachBearer { GatewayMetric.connectionsOpen.gauge($0.rawValue) }
        terminalsConnected = eachBearer { GatewayMetric.terminalsConnected.gauge($0.rawValue) }
        framesReceived = eachProtocol { GatewayMetric.framesReceived.counter($0.rawValue) }
        retransmissions = eachProtocol { GatewayMetric.retransmissions.counter($0.rawValue) }
        framesRejected = eachProtocol { name in
            Dictionary(
                uniqueKeysWithValues: DecodeError.Code.allCases.map {
                    ($0, GatewayMetric.framesRejected.counter(name.rawValue, $0.rawValue))
                })
        }
        connectionsClosed = eachBearer { bearer in
            Dictionary(
                uniqueKeysWithValues: Self.closeReasons.map {
                    ($0, GatewayMetric.connectionsClosed.counter(bearer.rawValue, $0))
                })
        }
        authentications = Dictionary(
            uniqueKeysWithValues: Trust.allCases.map { ($0, GatewayMetric.authentications.counter($0.rawValue)) })
    }

    func rejected(_ error: DecodeError) {
        framesRejected[error.protocolName]?[error.code]?.increment()
    }

    func closed(_ bearer: Bearer, _ reason: String) {
        connectionsClosed[bearer]?[reason]?.increment()
    }

    func identified(_ trust: Trust) {
        authentications[trust]?.increment()
    }
}
