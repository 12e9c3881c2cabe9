import TerminalModel
import WireBytes

/// Takes one frame apart for a person, also a broken one, and says where it is wrong.
///
/// The bytes of a row include the `*` behind a part of the header and the comma in front of a field.
struct WatchExplainer {
    private let profile: WatchProfile
    private var rows: [ExplainedField] = []

    static func explain(_ bytes: [UInt8], profile: WatchProfile) -> [ExplainedField] {
        var explainer = WatchExplainer(profile: profile)
        explainer.frame(bytes)
        return explainer.rows
    }

    private init(profile: WatchProfile) {
        self.profile = profile
    }

    private mutating func add(
        _ offset: Int, _ bytes: some Sequence<UInt8>, _ field: String, _ value: String = "", _ meaning: String = "",
        wrong: Bool = false
    ) {
        rows.append(
            ExplainedField(
                offset: offset, bytes: Array(bytes), field: field, value: value, meaning: meaning, isWrong: wrong))
    }

    private mutating func frame(_ bytes: [UInt8]) {
        guard let first = bytes.firstIndex(of: Watch.open) else {
            add(0, bytes, "frame", "", "no bracket [: not the protocol of watches", wrong: true)
            return
        }
        if first > 0 { add(0, bytes[..<first], "noise", "", "bytes before the bracket [", wrong: true) }
        let frame = Array(bytes[first...])
        switch WatchHeader.read(frame.span, at: 0) {
        case .impossible(let offset, let expected):
            add(first, frame[..<offset], "header", WatchText.string(frame.span.extracting(0..<offset)))
            add(first + offset, frame[offset...], "header", "", "expected \(expected)", wrong: true)
        case .incomplete:
            add(
                first, frame, "header", WatchText.string(frame.span), "the frame ends before its header does",
                wrong: true)
        case .header(let header, let size):
            var cursor = WatchFramer.Cursor()
            let step = WatchFramer().next(in: frame.span, at: &cursor, isComplete: true)
            let (end, next): (Int, Int) =
                switch step {
                case .frame(let range): (range.upperBound - 1, range.upperBound)
                case .rejected(_, let range): (range.upperBound, range.upperBound)
                case .needMore: (frame.count, frame.count)
                }
            self.header(header, frame, first, found: end - size)
            content(Array(frame[size..<end]), first + size)
            if next > end {
                add(first + end, [Watch.close], "close", "", "end")
            } else {
                let why = next < frame.count ? "another frame begins" : "] is missing"
                add(first + end, [], "close", "", "the frame does not end: \(why)", wrong: true)
            }
            if next < frame.count { add(first + next, frame[next...], "rest", "", "bytes behind the frame") }
        }
    }

    private mutating func header(_ header: WatchHeader, _ frame: [UInt8], _ base: Int, found: Int) {
        add(base, [Watch.open], "open", "", "start")
        add(base + 1, frame[1..<4], "maker", header.makerText, "every answer repeats it")
        var offset = 4 + Int(header.id.digitCount) + 1
        add(base + 4, frame[4..<offset], "id", header.id.text, "terminal \(header.id.terminal)")
        if let index = header.index {
            add(base + offset, frame[offset..<offset + 5], "index", "\(index)", "an answer repeats it")
            offset += 5
        }
        let isRight = found == Int(header.declaredLength)
        add(
            base + offset, frame[offset..<offset + 5], "length", "\(header.declaredLength)",
            isRight ? "bytes of content" : "but the content has \(found) bytes", wrong: !isRight)
    }

    private mutating func content(_ content: [UInt8], _ base: Int) {
        do throws(DecodeError) {
            var input = try WatchCodec.fields(of: content.span, base: 0, isTraced: true)
            add(base, content[..<input.offset], "keyword", input.keyword, WatchNames.keyword(input.keyword))
            _ = WatchMessage(parsing: &input)
            for entry in input.trace ?? [] {
                field(entry, Array(content[entry.offset..<entry.offset + entry.count]), base)
            }
        } catch {
            add(
                base, content[..<error.offset], error.field, WatchText.string(content.span.extracting(0..<error.offset))
            )
            add(
                base + error.offset, content[error.offset...], error.field, "",
                "expected \(error.expected), found \(error.found)", wrong: true)
        }
    }

    private mutating func field(_ entry: FieldTrace.Entry, _ bytes: [UInt8], _ base: Int) {
        let value = Array(bytes.dropFirst())
        guard entry.isText else {
            let (plain, isDamaged) = WatchEscapes.unescaped(value.span)
            let note = isDamaged ? ", a 7d is followed by none of 01 to 05" : ""
            add(
                base + entry.offset, bytes, entry.field, "", "\(plain.count) bytes without escapes\(note)",
                wrong: isDamaged)
            return
        }
        let meaning = WatchNames.meaning(of: value, as: entry.field, profile.alarms)
        add(
            base + entry.offset, bytes, entry.field, WatchText.string(value.span), meaning.text,
            wrong: meaning.isWrong)
    }
}
