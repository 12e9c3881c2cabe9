import FuzzHarness
import TerminalModel
import TerminalProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { DC09Target.run(data, count) }

/// Content is what the length counts; of odd variants the clear text of an encrypted frame.
private enum DC09Target: FuzzTarget {
    /// Cipher text that is its own clear text.
    private static let cipher = DC09Cipher(encrypt: { $0 }, decrypt: { $0 })

    static func makeDecoder() -> DC09OfflineDecoder { DC09OfflineDecoder { _ in cipher } }

    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]? {
        guard variant & 1 != 0 else { return DC09Codec.framed(Array(content)) }
        var sealed = Array("\"*SIA-DCS\"0001L0#1234[".utf8)
        for byte in content {
            sealed.append(digit(byte >> 4))
            sealed.append(digit(byte & 15))
        }
        return DC09Codec.framed(sealed)
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? 0x30 + value : 0x37 + value }

    static func rewritten(_ frame: [UInt8]) -> [UInt8]? {
        guard let packet = packet(frame) else { return nil }
        let written = DC09Codec.encode(packet, cipher: cipher) { [UInt8](repeating: 0x2E, count: $0) }
        // What was whole before may be too long for the three digits of a length with its padding.
        return written.count < DC09.maximumFrameBytes ? written : nil
    }

    private static func packet(_ bytes: [UInt8]) -> DC09Packet? {
        var cursor = DC09Framer.Cursor()
        guard case .frame(let range) = DC09Framer().next(in: bytes.span, at: &cursor, isComplete: true),
            let frame = try? DC09Frame(checking: bytes.span.extracting(range))
        else { return nil }
        return try? DC09Codec.decode(frame, cipher: cipher)
    }
}
