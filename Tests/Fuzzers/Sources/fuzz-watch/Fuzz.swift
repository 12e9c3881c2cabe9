import TerminalModel
import TerminalProtocols

/// Frames, decodes and prints the input, so that every accessor runs; a trap or an address error is a finding.
///
/// The first byte chooses the way: as one stream in pieces, as one frame, or as the content of a frame under a right header.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data, count: count))
    let rest = Array(bytes.dropFirst())
    var decoder = WatchOfflineDecoder()
    switch bytes[0] & 3 {
    case 0:
        let piece = max(1, Int(bytes[0] >> 2))
        for start in stride(from: 0, to: rest.count, by: piece) {
            show(decoder.feed(stream: Array(rest[start..<min(rest.count, start + piece)])))
        }
        while let last = decoder.finish() { show([last]) }
    case 1: show(decoder.decode(frame: rest))
    default:
        let header = WatchHeader(
            maker: "3G", id: WatchID(TerminalID(nibbles: 0x1000000003)), index: bytes[0] & 4 != 0 ? 7 : nil)
        let frame = WatchCodec.encode(content: rest, header: header)
        show(decoder.decode(frame: frame))
        writeAgain(frame)
    }
    for row in decoder.explain(rest) { consume(row.field + row.value + row.meaning) }
    return 0
}

/// What was understood can be written, and means the same again.
private func writeAgain(_ frame: [UInt8]) {
    guard let view = try? WatchFrame(checking: frame.span), let packet = try? WatchCodec.decode(view) else { return }
    _ = WatchCodec.encode(packet.message, header: packet.header)
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
