public import TerminalModel
import WireBytes

extension DC09Packet {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    public var fields: JSONValue {
        var object = JSONObject()
        object.set("id", header.identifier.name)
        object.set("encrypted", header.isEncrypted)
        object.set("sequence", header.sequence.map(Int.init))
        object.set("receiver", header.receiver)
        object.set("prefix", header.linePrefix)
        object.set("account", header.account)
        object.set("dataAccount", dataAccount)
        switch message {
        case .contactID(let event):
            object.set("qualifier", Int(event.qualifier))
            object.set("event", DC09Text.hex(UInt64(event.event), 3))
            object.set("group", DC09Text.hex(UInt64(event.group), 2))
            object.set("zone", DC09Text.hex(UInt64(event.zone), 3))
        case .sia(let data):
            object.set("data", DC09Text.windows1252(data.bytes))
            object.set(
                "events",
                .array(
                    data.events.map {
                        .object([.init("code", .string($0.code)), .init("address", .string($0.address))])
                    }))
            if !data.modifiers.isEmpty {
                object.set("modifiers", .object(data.modifiers.map { .init($0.name, .string($0.value)) }))
            }
        case .other(let data): object.set("data", DC09Text.windows1252(data))
        case .empty: break
        }
        if !extended.isEmpty {
            object.set(
                "extended", .array(extended.map { .string(DC09Text.windows1252($0.bytes)) }))
        }
        object.set("time", time?.text)
        if !trailing.isEmpty { object.set("trailing", Hex.text(trailing)) }
        return object.value
    }
}
