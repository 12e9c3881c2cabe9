import AlarmFormats
public import ArgumentParser
import ReplayKit
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

/// `--keys`: a file with the keys of panels, as the gateway's configuration names one.
struct KeyOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp("A file with the keys of panels (dc09), an account and its key a line.", valueName: "file"))
    var keys: String?

    /// - Throws: `ReplayFailure` when the file cannot be read, everybody may read it, or a line of it is wrong.
    func decoderKeys() throws -> DecoderKeys {
        guard let keys else { return .none }
        do {
            let table = try DC09KeyTable(contentsOf: keys)
            return DecoderKeys { table.cipher(of: $0) }
        } catch {
            throw ReplayFailure(.usage, "--keys \(error)")
        }
    }
}

/// `--protocol` where one must be named.
extension ProtocolName: ExpressibleByArgument {}
