internal import Foundation
internal import TerminalModel
internal import WireBytes

/// One line of a capture file, read.
enum CaptureLine {
    case header
    case piece(CaptureRecord)
    /// What the recorder had no room for.
    case leftOut(pieces: Int, bytes: Int)

    /// The version that this program reads.
    private static let version = 1

    private struct Form: Decodable {
        struct LeftOut: Decodable {
            var pieces: Int
            var bytes: Int
        }

        /// A number, or the word `unknown`.
        enum Missing: Decodable {
            case count(Int)
            case unknown

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                self = (try? container.decode(Int.self)).map(Missing.count) ?? .unknown
            }
        }

        var capture: String?
        var version: Int?
        var time: String?
        var session: String?
        var direction: String?
        var transport: String?
        var listener: String?
        var peer: String?
        var `protocol`: String?
        var missing: Missing?
        var bytes: String?
        var leftOut: LeftOut?

        private enum CodingKeys: String, CodingKey {
            case capture, version, time, session, direction, transport, listener, peer, `protocol`, missing, bytes
            case leftOut = "left_out"
        }
    }

    /// True for a line that cannot be one of a replay file.
    static func isLikely(_ text: ArraySlice<UInt8>) -> Bool {
        text.first { $0 != 0x20 && $0 != 0x09 && $0 != 0xEF && $0 != 0xBB && $0 != 0xBF } == UInt8(ascii: "{")
    }

    /// - Throws: `ReplayFailure` that says which member is wrong, without the name of the file.
    init(_ text: ArraySlice<UInt8>) throws(ReplayFailure) {
        guard let form = try? JSONDecoder().decode(Form.self, from: Data(text)) else {
            throw ReplayFailure(.usage, "found \(Self.beginning(text)), expected a JSON object of a capture file")
        }
        if let version = form.version, form.capture != nil {
            guard version == Self.version else {
                throw ReplayFailure(.usage, "found a capture of version \(version), expected version \(Self.version)")
            }
            self = .header
            return
        }
        if let lost = form.leftOut {
            self = .leftOut(pieces: lost.pieces, bytes: lost.bytes)
            return
        }
        func wrong(_ member: String, _ found: String?, _ expected: String) -> ReplayFailure {
            ReplayFailure(.usage, "\(member): found \(found.map { "\"\($0)\"" } ?? "nothing"), expected \(expected)")
        }
        guard let time = form.time.flatMap({ Timestamp($0) }) else {
            throw wrong("time", form.time, "a time like 2026-03-14T02:10:12.031Z")
        }
        guard let session = form.session else { throw wrong("session", nil, "a name") }
        guard let direction = form.direction.flatMap(CaptureRecord.Direction.init(rawValue:)) else {
            throw wrong("direction", form.direction, "in or out")
        }
        guard let hex = form.bytes, let bytes = Hex.bytes(hex) else {
            throw wrong("bytes", form.bytes.map { String($0.prefix(40)) }, "pairs of hexadecimal digits")
        }
        if let name = form.protocol, ProtocolName(rawValue: name) == nil {
            throw wrong("protocol", name, ProtocolName.allCases.map(\.rawValue).joined(separator: ", "))
        }
        let missing: Int? =
            switch form.missing {
            case nil: 0
            case .count(let count): count
            case .unknown: .none
            }
        self = .piece(
            CaptureRecord(
                time: time, session: session, direction: direction,
                transport: form.transport.flatMap(Bearer.init(rawValue:)), listener: form.listener, peer: form.peer,
                protocolName: form.protocol.flatMap(ProtocolName.init(rawValue:)), missing: missing, bytes: bytes))
    }

    private static func beginning(_ text: ArraySlice<UInt8>) -> String {
        "\"\(String(decoding: text.prefix(40), as: UTF8.self))\(text.count > 40 ? "…" : "")\""
    }
}
