import TerminalModel
import TerminalProtocols

/// Frames, decodes and prints the input, so that every accessor runs; a trap or an address error is a finding.
///
/// The first byte chooses the way: as one stream in pieces, as one frame, as what a right sum and length stand before, or as the
/// clear text of an encrypted frame.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let data, count > 0 else { return 0 }
    let bytes = [UInt8](UnsafeBufferPointer(start: data, count: count))
    let rest = Array(bytes.dropFirst())
    // Cipher text that is its own clear text.
    var decoder = DC09OfflineDecoder { _ in DC09Cipher(encrypt: { $0 }, decrypt: { $0 }) }
    switch bytes[0] & 3 {
    case 0:
        let piece = max(1, Int(bytes[0] >> 2))
        for start in stride(from: 0, to: rest.count, by: piece) {
            show(decoder.feed(stream: Array(rest[start..<min(rest.count, start + piece)])))
        }
        while let last = decoder.finish() { show([last]) }
    case 1: show(decoder.decode(frame: rest))
    case 2:
        let frame = DC09Codec.framed(rest)
        show(decoder.decode(frame: frame))
        writeAgain(frame)
    default:
        let digits = rest.prefix(1024).flatMap { byte in
            [byte >> 4, byte & 15].map { $0 < 10 ? 0x30 + $0 : 0x37 + $0 }
        }
        show(decoder.decode(frame: DC09Codec.framed(Array("\"*SIA-DCS\"0001L0#1234[".utf8) + digits)))
    }
    for row in decoder.explain(rest) { consume(row.field + row.value + row.meaning) }
    return 0
}

/// What was understood can be written, and means the same again.
private func writeAgain(_ frame: [UInt8]) {
    guard let view = try? DC09Frame(checking: frame.span), let packet = try? DC09Codec.decode(view) else { return }
    let again = DC09Codec.encode(packet)
    guard let view = try? DC09Frame(checking: again.span), let same = try? DC09Codec.decode(view) else {
        preconditionFailure("written frames can be read")
    }
    precondition(same == packet || packet.header.account == nil || again.count > DC09.maximumFrameBytes)
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
