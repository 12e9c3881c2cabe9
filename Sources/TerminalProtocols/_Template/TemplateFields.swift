public import TerminalModel
import WireBytes

extension TemplateMessage {
    /// The protocol's own structure of the message, in the shape of `expected` in the corpus.
    public var fields: JSONValue {
        JSONObject().value
    }
}
