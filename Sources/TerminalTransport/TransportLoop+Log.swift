import AlarmPipeline
import GatewayTelemetry
import Logging
import Reactor
import TerminalModel
import TerminalProtocols
import TerminalSession

extension TransportLoop {
    func logRefusals(_ slot: SessionSlot, on loop: EventLoop) {
        for error in actions.refusals {
            metrics.rejected(error)
            let code = ErrorCode(error.code)
            guard
                case .write(let suppressed) = limiter.admit(
                    code, terminal: slot.session.terminals.last, at: loop.nowMilliseconds)
            else { continue }
            logger.info(
                "Frame refused",
                metadata: .keyed([
                    .errorCode: "\(code.rawValue)", .errorDetail: "\(error)", .connectionPeer: "\(slot.peer)",
                    .suppressedCount: "\(suppressed)",
                ]))
        }
    }

    func logUnreadable(_ terminal: TerminalID, _ error: DecodeError, _ slot: SessionSlot, _ now: Moment) {
        let code = ErrorCode(error.code)
        guard case .write(let suppressed) = limiter.admit(code, terminal: terminal, at: now.monotonicMilliseconds)
        else { return }
        logger.error(
            "A terminal sends what cannot be read; an alarm may be inside",
            metadata: .keyed([
                .terminalID: "\(terminal)", .errorCode: "\(code.rawValue)", .errorDetail: "\(error)",
                .connectionPeer: "\(slot.peer)", .suppressedCount: "\(suppressed)",
            ]))
    }

    /// A close reason as the metric's label and in words.
    static func name(_ reason: CloseReason) -> (metric: String, shown: String) {
        switch reason {
        case .endOfInput: ("peer", "closed by the terminal")
        case .failed(let code): ("error", "failed with errno \(code)")
        case .hangUp: ("peer", "hang-up")
        case .slowPeer: ("write_limit", "does not read its answers")
        case .partialTooLong: ("limit", "too many bytes without a frame")
        case .memoryLimit: ("limit", "memory limit of all connections")
        case .filterFailed: ("error", "its TLS is broken")
        case .handshakeTimeout: ("idle", "TLS was not agreed on in time")
        case .stopping: ("shutdown", OfflineReason.gatewayStops)
        case .requested(let code):
            switch SessionCloseReason(rawValue: code) {
            case .displaced: ("replaced", "replaced by a newer connection")
            case .idle: ("idle", "idle")
            case .noFirstFrame: ("idle", "no first frame")
            case .slowFrame: ("slow_frame", "frame not completed in time")
            case .unknownTerminal: ("protocol", "unknown terminals are refused")
            case nil: ("protocol", "code \(code)")
            }
        }
    }
}

extension ErrorCode {
    fileprivate init(_ code: DecodeError.Code) {
        self =
            switch code {
            case .notThisProtocol: .frameNotThisProtocol
            case .badLength: .frameBadLength
            case .badIntegrity: .frameBadIntegrity
            case .badValue: .frameBadValue
            case .unsupported: .frameUnsupported
            }
    }
}
