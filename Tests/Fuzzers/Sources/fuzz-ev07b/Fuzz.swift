import FuzzHarness
import TerminalProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { EV07BTarget.run(data, count) }

/// Content is a body: the command and its blocks.
private enum EV07BTarget: FuzzTarget {
    static func makeDecoder() -> EV07BOfflineDecoder { EV07BOfflineDecoder() }

    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]? {
        guard !content.isEmpty else { return nil }
        return EV07BCodec.frame(
            body: Array(content), header: EV07BHeader(properties: variant & 1 != 0 ? 0x18 : 0x10, sequence: 7))
    }

    static func rewritten(_ frame: [UInt8]) -> [UInt8]? {
        guard let packet = packet(frame) else { return nil }
        return EV07BCodec.encode(packet.message, header: packet.header)
    }

    private static func packet(_ bytes: [UInt8]) -> EV07BPacket? {
        guard let frame = try? EV07BFrame(checking: bytes.span) else { return nil }
        return try? EV07BCodec.decode(frame)
    }
}
