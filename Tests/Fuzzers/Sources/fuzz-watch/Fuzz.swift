import FuzzHarness
import TerminalModel
import TerminalProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { WatchTarget.run(data, count) }

/// Content is that of a frame: a keyword and its fields.
private enum WatchTarget: FuzzTarget {
    static func makeDecoder() -> WatchOfflineDecoder { WatchOfflineDecoder() }

    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]? {
        let header = WatchHeader(
            maker: "3G", id: WatchID(TerminalID(nibbles: 0x1000000003)), index: variant & 1 != 0 ? 7 : nil)
        return WatchCodec.encode(content: Array(content), header: header)
    }

    static func rewritten(_ frame: [UInt8]) -> [UInt8]? {
        guard let packet = packet(frame) else { return nil }
        return WatchCodec.encode(packet.message, header: packet.header)
    }

    private static func packet(_ bytes: [UInt8]) -> WatchPacket? {
        guard let frame = try? WatchFrame(checking: bytes.span) else { return nil }
        return try? WatchCodec.decode(frame)
    }
}
