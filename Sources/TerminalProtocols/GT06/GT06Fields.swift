public import TerminalModel
import WireBytes

extension GT06Packet {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    ///
    /// `trailing` and `declaredLengthWrong` appear only when there is something to say.
    public var fields: JSONValue {
        var object = JSONObject()
        object.set("protocol", Int(number))
        object.set("serial", serial.map(Int.init))
        object.set("form", form.name)
        for member in message.members { object.set(member.key, member.value) }
        if !trailing.isEmpty { object.set("trailing", Hex.text(trailing)) }
        if lengthMismatch { object.set("declaredLengthWrong", true) }
        return object.value
    }
}
