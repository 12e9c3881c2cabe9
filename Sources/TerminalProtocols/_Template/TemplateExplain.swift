import TerminalModel
import WireBytes

/// A frame byte by byte, also a broken one, up to and past what is wrong with it.
enum TemplateExplainer {
    static func explain(_ bytes: [UInt8], profile: TemplateProfile) -> [ExplainedField] {
        var rows: [ExplainedField] = []
        do throws(DecodeError) {
            let frame = try TemplateFrame(checking: bytes.span)
            rows.append(row(bytes, 0..<1, "start", ""))
            rows.append(row(bytes, 1..<2, "length", "\(bytes[1])", "bytes of message, terminal and body"))
            rows.append(row(bytes, 2..<3, "message", Hex.number(frame.message, digits: 2)))
            rows.append(row(bytes, 3..<7, "terminal", frame.terminal.description))
            let trace = FieldTrace()
            _ = try TemplateCodec.message(frame, trace: trace)
            for entry in trace.entries {
                let range = entry.offset..<entry.offset + entry.count
                let isAlarm = entry.field == "alarm" && bytes[range.lowerBound] != 0
                let meaning = isAlarm ? profile.alarms[bytes[range.lowerBound]]?.name ?? "nothing" : ""
                rows.append(row(bytes, range, entry.field, Hex.text(Array(bytes[range])), meaning))
            }
            rows.append(row(bytes, bytes.count - 2..<bytes.count, "checksum", "", "right"))
        } catch {
            let offset = min(rows.last.map { $0.offset + $0.bytes.count } ?? 0, bytes.count)
            rows.append(
                ExplainedField(
                    offset: offset, bytes: Array(bytes[offset...]), field: error.field, value: "",
                    meaning: "expected \(error.expected), found \(error.found)", isWrong: true))
        }
        return rows
    }

    private static func row(
        _ bytes: [UInt8], _ range: Range<Int>, _ field: String, _ value: String, _ meaning: String = ""
    ) -> ExplainedField {
        ExplainedField(
            offset: range.lowerBound, bytes: Array(bytes[range]), field: field, value: value, meaning: meaning)
    }
}
