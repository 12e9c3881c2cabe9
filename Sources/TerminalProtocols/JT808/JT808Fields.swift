public import TerminalModel
import WireBytes

extension JT808Packet {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    ///
    /// `trailing` and `declaredLengthWrong` appear only when there is something to say.
    public var fields: JSONValue {
        var object = JSONObject()
        object.set("header", header.fields)
        object.set("checkCode", Int(checkCode))
        var body = message.body.fields
        if !trailing.isEmpty { body.set("trailing", Hex.text(trailing)) }
        if let assembled {
            var inner = JSONObject()
            inner.set("firstFlowId", Int(assembled.firstFlowID))
            for member in assembled.message.body.fields.members { inner.set(member.key, member.value) }
            if !assembled.trailing.isEmpty { inner.set("trailing", Hex.text(assembled.trailing)) }
            body.set("assembled", inner.value)
        }
        object.set("body", body.value)
        if lengthMismatch { object.set("declaredLengthWrong", true) }
        return object.value
    }
}

extension JT808Header {
    var fields: JSONValue {
        var object = JSONObject()
        object.set("messageId", Int(messageID))
        object.set("bodyLength", declaredBodyLength)
        object.set("encryption", Int(encryption))
        object.set("subPackage", package != nil)
        object.set("version2019", is2019)
        object.set("phone", phone.text)
        object.set("flowId", Int(flowID))
        if let package {
            object.set("packageTotal", Int(package.total))
            object.set("packageIndex", Int(package.index))
        }
        if is2019 { object.set("protocolVersion", Int(protocolVersion)) }
        return object.value
    }
}

extension JT808Message {
    /// The members of the message alone, in the shape of `body` in the corpus.
    public var fields: JSONValue { body.fields.value }
}
