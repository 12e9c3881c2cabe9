internal import Glibc
internal import TerminalModel

/// What a file with recorded bytes holds.
struct CaptureFile {
    var records: [CaptureRecord] = []
    /// What the recorder had no room for.
    var leftOutPieces = 0
    var leftOutBytes = 0
    /// What was left out of a packet capture; nil for a capture of the gateway.
    var packets: PacketCounts?

    private enum Kind {
        case lines, packets
    }

    /// Reads a capture of the gateway, or a pcap or pcapng file.
    ///
    /// - Parameter ports: of a packet capture, those of the gateway; none takes whatever looks like a terminal.
    /// - Throws: `ReplayFailure` that says what was found.
    init(path: String, ports: Set<UInt16>) throws {
        switch try Self.kind(path) {
        case .lines: try readLines(path)
        case .packets:
            var reader = try PacketReader(path: path, ports: ports)
            records = try reader.records()
            packets = reader.counts
        }
    }

    private mutating func readLines(_ path: String) throws {
        var reader = try LineReader(path: path)
        var number = 0
        while let piece = try reader.next(beforeWaiting: {}) {
            number += 1
            let text = reader.bytes(of: piece)
            guard piece.startsLine, piece.endsLine else {
                throw ReplayFailure(.usage, "\(reader.name):\(number): the line is longer than any of a capture")
            }
            guard text.contains(where: { $0 != 0x20 && $0 != 0x0D }) else { continue }
            switch try Self.line(text, of: reader.name, number: number) {
            case .header: break
            case .piece(let record): records.append(record)
            case .leftOut(let pieces, let bytes):
                leftOutPieces += pieces
                leftOutBytes += bytes
            }
        }
    }

    /// - Throws: `ReplayFailure` with the name of the file and the number of the line.
    static func line(_ text: ArraySlice<UInt8>, of name: String, number: Int) throws(ReplayFailure) -> CaptureLine {
        do throws(ReplayFailure) {
            return try CaptureLine(text)
        } catch {
            throw ReplayFailure(error.code, "\(name):\(number): \(error.message)")
        }
    }

    /// Tells by the first bytes. The standard input is a capture of the gateway: libpcap reads files alone.
    private static func kind(_ path: String) throws -> Kind {
        guard path != "-" else { return .lines }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw ReplayFailure(.usage, "\(path): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var start = [UInt8](repeating: 0, count: 64)
        let count = read(descriptor, &start, start.count)
        guard count >= 0 else { throw ReplayFailure(.usage, "\(path): \(String(cString: strerror(errno)))") }
        start.removeLast(start.count - count)
        if magics.contains(where: { start.starts(with: $0) }) { return .packets }
        if CaptureLine.isLikely(start[...]) { return .lines }
        let found = start.isEmpty ? "an empty file" : "a file that begins with \(shown(start))"
        throw ReplayFailure(
            .usage,
            "\(path): found \(found), expected a capture of yidiantongd (lines of JSON), or a pcap or pcapng file")
    }

    /// pcap with micro- and nanoseconds in both orders of bytes, and pcapng.
    private static let magics: [[UInt8]] = [
        [0xA1, 0xB2, 0xC3, 0xD4], [0xD4, 0xC3, 0xB2, 0xA1], [0xA1, 0xB2, 0x3C, 0x4D], [0x4D, 0x3C, 0xB2, 0xA1],
        [0x0A, 0x0D, 0x0D, 0x0A],
    ]

    private static func shown(_ bytes: [UInt8]) -> String {
        let first = bytes.prefix(8)
        guard first.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            return first.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined(separator: " ")
        }
        return "\"\(String(decoding: first, as: UTF8.self))\""
    }
}
