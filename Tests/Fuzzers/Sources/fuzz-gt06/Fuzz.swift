import TerminalProtocols

/// Frames, decodes and prints the input, so that every accessor runs; a trap or an address error is a finding.
///
/// The first byte chooses the way: as one stream in pieces, as one frame, as the content of a message under a right length
/// and CRC, which random bytes would almost never have, or behind the login of the look-alike family.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data, count: count))
    let rest = Array(bytes.dropFirst())
    var decoder = GT06OfflineDecoder()
    switch bytes[0] & 3 {
    case 0: stream(rest, piece: max(1, Int(bytes[0] >> 2)), &decoder)
    case 1: show(decoder.decode(frame: rest))
    case 2:
        let login: [UInt8] = [0x78, 0x78, 0x0D, 0x01, 9, 0x99, 0x91, 0, 0, 0, 0, 0x11, 1, 0x0D, 0x0A]
        show(decoder.feed(stream: login))
        stream(rest, piece: max(1, Int(bytes[0] >> 2)), &decoder)
    default:
        guard rest.count >= 2 else { return 0 }
        let form: GT06Form = bytes[0] & 4 != 0 ? .long : .short
        show(decoder.decode(frame: GT06Codec.frame(rest[0], Array(rest[2...]), serial: UInt16(rest[1]), form: form)))
    }
    for row in decoder.explain(rest) { consume(row.field + row.value + row.meaning) }
    return 0
}

private func stream(_ bytes: [UInt8], piece: Int, _ decoder: inout GT06OfflineDecoder) {
    for start in stride(from: 0, to: bytes.count, by: piece) {
        show(decoder.feed(stream: Array(bytes[start..<min(bytes.count, start + piece)])))
    }
    if let last = decoder.finish() { show([last]) }
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
