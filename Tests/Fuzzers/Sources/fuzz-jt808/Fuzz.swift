import FuzzHarness
import TerminalProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { JT808Target.run(data, count) }

/// Content is the id of a message, the two numbers of its package, and its body.
private enum JT808Target: FuzzTarget {
    static func makeDecoder() -> JT808OfflineDecoder { JT808OfflineDecoder() }

    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]? {
        guard content.count >= 4 else { return nil }
        let head = Array(content.prefix(4))
        let header = JT808Header(
            messageID: UInt16(head[0]) << 8 | UInt16(head[1]), protocolVersion: 1,
            phone: JT808Phone(nibbles: 0x0177_0000_0101, isLong: variant & 1 != 0), flowID: 7,
            package: variant & 2 != 0 ? .init(total: UInt16(head[2]), index: UInt16(head[3])) : nil)
        return JT808Codec.frame(header, content.dropFirst(4))
    }

    static func rewritten(_ frame: [UInt8]) -> [UInt8]? {
        guard let packet = packet(frame) else { return nil }
        if case .part = packet.message { return nil }
        let header = packet.header
        var flowID = header.flowID
        let frames = JT808Codec.encode(
            packet.message, phone: header.phone, protocolVersion: header.protocolVersion, flowID: &flowID)
        return frames.count == 1 ? frames[0] : nil
    }

    private static func packet(_ bytes: [UInt8]) -> JT808Packet? {
        var framer = JT808Framer()
        var cursor = JT808Framer.Cursor()
        guard case .frame(let run) = framer.next(in: bytes.span, at: &cursor),
            let frame = try? JT808Frame(checking: framer.contents(of: run, in: bytes.span))
        else { return nil }
        return try? JT808Codec.decode(frame)
    }
}
