import TerminalModel
import WireBytes

enum JT808Explainer {
    static func explain(_ bytes: [UInt8], profile: JT808Profile) -> [ExplainedField] {
        []
    }
}
