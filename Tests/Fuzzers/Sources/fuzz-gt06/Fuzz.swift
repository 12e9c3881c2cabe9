import FuzzHarness
import TerminalProtocols

@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt { GT06Target.run(data, count) }

/// Content is the number of a message and its content.
private enum GT06Target: FuzzTarget {
    static func makeDecoder() -> GT06OfflineDecoder { GT06OfflineDecoder() }

    /// The login by which the look-alike family without a checksum is known.
    static var greeting: [UInt8] { [0x78, 0x78, 0x0D, 0x01, 9, 0x99, 0x91, 0, 0, 0, 0, 0x11, 1, 0x0D, 0x0A] }

    static func frame(around content: ArraySlice<UInt8>, variant: UInt8) -> [UInt8]? {
        guard let number = content.first else { return nil }
        return GT06Codec.frame(
            number, Array(content.dropFirst()), serial: UInt16(variant), form: variant & 1 != 0 ? .long : .short)
    }

    static func rewritten(_ frame: [UInt8]) -> [UInt8]? {
        guard let packet = packet(frame) else { return nil }
        return GT06Codec.encode(packet.message, serial: packet.serial ?? 0, form: packet.form)
    }

    private static func packet(_ bytes: [UInt8]) -> GT06Packet? {
        guard let frame = try? GT06Frame(checking: bytes.span) else { return nil }
        return try? GT06Codec.decode(frame)
    }
}
