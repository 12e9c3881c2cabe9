import TerminalModel
import WireBytes

/// A frame byte by byte, also a broken one, up to and past what is wrong with it.
enum TemplateExplainer {
    static func explain(_ bytes: [UInt8]) -> [ExplainedField] { [] }
}
