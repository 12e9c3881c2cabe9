import TerminalProtocols

/// Frames, decodes and prints the input, so that every accessor runs; a trap or an address error is a finding.
///
/// The first byte chooses the way: as one stream in pieces, as one frame, or as a body under a right header and checksum,
/// which random bytes would almost never have.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data, count: count))
    let rest = Array(bytes.dropFirst())
    var decoder = EV07BOfflineDecoder()
    var shown = rest
    switch bytes[0] & 3 {
    case 0:
        let piece = max(1, Int(bytes[0] >> 2))
        for start in stride(from: 0, to: rest.count, by: piece) {
            show(decoder.feed(stream: Array(rest[start..<min(rest.count, start + piece)])))
        }
        if let last = decoder.finish() { show([last]) }
    case 1: show(decoder.decode(frame: rest))
    default:
        guard !rest.isEmpty else { return 0 }
        let properties: UInt8 = bytes[0] & 4 != 0 ? 0x18 : 0x10
        shown = EV07BCodec.frame(body: rest, header: EV07BHeader(properties: properties, sequence: 7))
        show(decoder.decode(frame: shown))
    }
    for row in decoder.explain(shown) { consume(row.field + row.value + row.meaning) }
    return 0
}

private func show(_ frames: [DecodedFrame]) {
    for frame in frames {
        switch frame.result {
        case .failed(let error): consume(error.line(hex: "").text)
        case .events(let events, let fields):
            precondition(!events.isEmpty)
            for event in events { consume(event.json.text) }
            consume(fields.text)
        }
    }
}

@inline(never)
private func consume(_ text: String) {
    precondition(text.utf8.count >= 0)
}
