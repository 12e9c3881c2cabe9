public import TerminalModel
import WireBytes

extension WatchPacket {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    ///
    /// `lengthMismatch` appears only when the header declares another length.
    public func fields(profile: WatchProfile = .standard) -> JSONValue {
        var object = JSONObject()
        object.set("manufacturer", header.makerText)
        object.set("id", header.id.text)
        object.set("declaredLength", Int(header.declaredLength))
        object.set("actualLength", contentLength)
        object.set("index", header.index.map { Int($0) })
        object.set("keyword", message.keyword)
        if lengthMismatch != 0 { object.set("lengthMismatch", lengthMismatch) }
        if let alarms = message.alarms(profile.alarms) {
            object.set("alarms", .array(alarms.kinds.map { .string($0.name) }))
        }
        for member in message.body.fields.members { object.set(member.key, member.value) }
        return object.value
    }
}
