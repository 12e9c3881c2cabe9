public import ArgumentParser
public import TerminalModel
import TerminalProtocols

/// `--protocol`: a registered protocol, or the one that the bytes look like.
enum ProtocolArgument: ExpressibleByArgument {
    case automatic
    case named(ProtocolName)

    static let allValueStrings = ["auto"] + ProtocolRegistration.all.map(\.name.rawValue)

    init?(argument: String) {
        if argument == "auto" {
            self = .automatic
        } else if let name = ProtocolName(rawValue: argument), ProtocolRegistration.named(name) != nil {
            self = .named(name)
        } else {
            return nil
        }
    }

    var defaultValueDescription: String { name?.rawValue ?? "auto" }

    var name: ProtocolName? {
        if case .named(let name) = self { name } else { nil }
    }
}

/// `--protocol` where one must be named.
extension ProtocolName: ExpressibleByArgument {}
