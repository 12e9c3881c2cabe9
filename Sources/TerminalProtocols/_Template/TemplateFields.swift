public import TerminalModel
import WireBytes

extension TemplatePacket {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    public var fields: JSONValue {
        var object = JSONObject()
        object.set("message", Hex.number(message.number, digits: 2))
        object.set("terminal", terminal.description)
        switch message {
        case .report(let report):
            object.set("alarm", Int(report.alarm))
            object.set("latitude", Int(report.latitude))
            object.set("longitude", Int(report.longitude))
            object.set("battery", report.batteryPercent.map { Int($0) })
        case .done(let counter), .locate(let counter): object.set("counter", Int(counter))
        case .acknowledgement(let number): object.set("of", Hex.number(number, digits: 2))
        case .unknown(_, let bytes): object.set("dataHex", Hex.text(bytes))
        }
        if !trailing.isEmpty { object.set("trailing", Hex.text(trailing)) }
        return object.value
    }
}
