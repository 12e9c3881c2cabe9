/// The one door through which every telephone number leaves the process, also those sent to terminals to dial.
///
/// Until the site is commissioned no writing of an emergency number passes; how often emergency services are called afterwards
/// the ladder caps (`IncidentRules.emergencyCallsPerIncident`). Dial the number in the verdict, never the one that was handed
/// in. Source: promise P7 and the escalation document section 7.
public struct DialGuard: Sendable {
    public enum Verdict: Sendable, Equatable {
        /// May be dialled, in exactly this writing.
        case allowed(number: String, isEmergency: Bool)
        case refused(Refusal)
    }

    public enum Refusal: Sendable, Equatable {
        case notDialable(reason: String)
        case notCommissioned(code: String)

        /// The stable name on every interface.
        public var code: String {
            switch self {
            case .notDialable: "number_not_dialable"
            case .notCommissioned: "emergency_number_not_commissioned"
            }
        }
    }

    /// Set only by the explicit, logged act of commissioning.
    public let isCommissioned: Bool

    public init(isCommissioned: Bool = false) {
        self.isCommissioned = isCommissioned
    }

    /// Judges a number of a configuration, a card or an operator, and one that is about to leave.
    public func examine(_ number: String) -> Verdict {
        switch DialledNumber(number) {
        case .ordinary(let digits): .allowed(number: digits, isEmergency: false)
        case .notDialable(let reason): .refused(.notDialable(reason: reason))
        case .emergency(let code, _) where !isCommissioned: .refused(.notCommissioned(code: code))
        case .emergency(_, let digits?): .allowed(number: digits, isEmergency: true)
        case .emergency(let code, nil):
            .refused(.notDialable(reason: "an emergency number (\(code)) is written with nothing around it"))
        }
    }
}
