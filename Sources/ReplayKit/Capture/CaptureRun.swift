public import TerminalModel

/// What is made of recorded bytes.
public struct CaptureOptions: Sendable {
    /// Nil takes what was recorded, or tells by the bytes.
    public var protocolName: ProtocolName?
    /// Ports of the gateway in a packet capture; none takes whatever looks like a terminal.
    public var ports: Set<UInt16>
    /// Names, places and times are replaced.
    public var anonymises: Bool

    public init(protocolName: ProtocolName? = nil, ports: Set<UInt16> = [], anonymises: Bool = false) {
        self.protocolName = protocolName
        self.ports = ports
        self.anonymises = anonymises
    }
}

/// What became of the files.
public struct CaptureSummary: Sendable, Equatable {
    public var counts = CaptureCounts()
    public var packets: PacketCounts?
    /// Nil where nothing was made anonymous.
    public var anonymised: AnonymiseCounts?

    /// True when every byte of a terminal is in a frame.
    public var isComplete: Bool {
        let lost = counts.broken + counts.otherBytes + counts.gaps + counts.leftOutPieces
        guard let packets else { return lost == 0 }
        return lost + packets.fragments + packets.broken + packets.truncatedBytes == 0
    }

    /// What a person wants to know, a line each.
    public var text: String {
        var lines = [
            "\(counts.sessions) sessions, \(counts.frames) frames of \(counts.frameBytes) bytes, \(counts.broken) broken of "
                + "\(counts.brokenBytes) bytes, \(counts.otherBytes) other bytes"
        ]
        if counts.gaps > 0 { lines.append("gaps: \(counts.gaps), of \(counts.missingBytes) bytes or more") }
        if counts.leftOutPieces > 0 {
            lines.append(
                "left out by the recorder, which could not keep up: \(counts.leftOutPieces) pieces of "
                    + "\(counts.leftOutBytes) bytes")
        }
        if let packets {
            lines.append(
                "packets: \(packets.packets), of others \(packets.others), fragments \(packets.fragments), broken "
                    + "\(packets.broken), cut by their recorder \(packets.truncated); \(packets.repeatedBytes) bytes came again"
            )
            if packets.foreignSessions > 0 {
                lines.append(
                    "not of terminals: \(packets.foreignSessions) sessions of \(packets.foreignBytes) bytes; --port keeps them"
                )
            }
            if packets.truncatedBytes > 0 { lines.append("datagrams lack \(packets.truncatedBytes) bytes") }
        }
        if let anonymised {
            lines.append("made anonymous: \(anonymised.frames) frames")
            lines += Self.list("dropped frames", anonymised.droppedFrames)
            lines += Self.list("dropped parts", anonymised.droppedParts)
        }
        return lines.map { $0 + "\n" }.joined()
    }

    private static func list(_ title: String, _ counts: [String: Int]) -> [String] {
        counts.sorted { $0.key < $1.key }.map { "\(title): \($0.key) \($0.value)" }
    }
}

/// Recorded bytes to a capture file with one frame a line.
public enum CaptureRun {
    /// Reads the files one after the other and writes their frames.
    ///
    /// - Parameters:
    ///   - paths: captures of the gateway, pcap and pcapng files; `-` is a capture on the standard input.
    ///   - output: the descriptor that the lines are written to.
    /// - Throws: `ReplayFailure` when a file cannot be read or is something else, or the output cannot be written.
    public static func run(paths: [String], options: CaptureOptions, output: Int32) throws -> CaptureSummary {
        var summary = CaptureSummary()
        var splitter = CaptureSplitter(options.protocolName)
        var anonymiser = options.anonymises ? CaptureAnonymiser() : nil
        let buffer = OutputBuffer(descriptor: output)
        do {
            try buffer.append(line: CaptureRecord.header)
            for path in paths {
                let file = try CaptureFile(path: path, ports: options.ports)
                // Files of one run of the gateway share their sessions; those of other files only look the same.
                for piece in splitter.split(file.records) {
                    let shown = anonymiser == nil ? piece : anonymiser?.anonymise(piece)
                    if let shown { try buffer.append(line: shown.json) }
                }
                summary.leftOut(file)
            }
            try buffer.flush()
        } catch is OutputBuffer.ReaderGone {
            return summary
        } catch {
            try? buffer.flush()
            throw error
        }
        summary.add(splitter.counts)
        summary.anonymised = anonymiser?.counts
        return summary
    }
}

extension CaptureSummary {
    fileprivate mutating func leftOut(_ file: CaptureFile) {
        counts.leftOutPieces += file.leftOutPieces
        counts.leftOutBytes += file.leftOutBytes
        guard let found = file.packets else { return }
        packets = packets.map { $0 + found } ?? found
    }

    fileprivate mutating func add(_ found: CaptureCounts) {
        let (pieces, bytes) = (counts.leftOutPieces, counts.leftOutBytes)
        counts = found
        counts.leftOutPieces = pieces
        counts.leftOutBytes = bytes
    }
}

extension PacketCounts {
    fileprivate static func + (left: PacketCounts, right: PacketCounts) -> PacketCounts {
        var sum = left
        sum.packets += right.packets
        sum.others += right.others
        sum.foreignSessions += right.foreignSessions
        sum.foreignBytes += right.foreignBytes
        sum.fragments += right.fragments
        sum.broken += right.broken
        sum.truncated += right.truncated
        sum.truncatedBytes += right.truncatedBytes
        sum.repeatedBytes += right.repeatedBytes
        return sum
    }
}
