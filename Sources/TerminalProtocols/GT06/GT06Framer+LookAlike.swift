import TerminalModel
import WireBytes

// The family without serial and CRC. Its login has 15 bytes where a regular one of the same length byte has 18, and which
// of the two has begun shows in the CRC that a regular one would have to carry.
//
// Source: section 7.14.

extension GT06Framer {
    /// Message types by the size of their frames.
    enum LookAlike {
        static let login: UInt8 = 0x01
        static let heartbeat: UInt8 = 0x08
        static let vibration: UInt8 = 0x94
        static let sos: UInt8 = 0x99
        static let loginLength: UInt8 = 0x0D
        static let loginBytes = 15
        static let regularLoginBytes = 18
        /// Nothing but marker, length, type and end.
        static let emptyBytes = 6
        /// How far the end of an alarm of unknown size is searched.
        static let alarmBytes = 64
    }

    /// What the bytes at `start` are in the look-alike family; nil leaves the judgement to the regular rules.
    @usableFromInline
    static func lookAlikeVerdict(_ bytes: Span<UInt8>, _ start: Int, _ cursor: inout Cursor) -> Verdict? {
        let isLookAlike = cursor.family == .lookAlike
        guard bytes[start] == GT06.shortMarker else { return isLookAlike ? .refused(.length(start)) : nil }
        if bytes[start + 3] == LookAlike.login, let verdict = login(bytes, start, &cursor) { return verdict }
        guard isLookAlike else { return nil }
        guard let total = lookAlikeTotal(bytes, start) else { return .incomplete }
        let left = bytes.count - start
        if total <= left, bytes.uint16BE(at: start + total - 2) == GT06Frame.stop {
            return .frame(Run(range: start..<start + total, form: .lookAlike))
        }
        if let alarm = alarmOfUnknownSize(bytes, start) { return alarm }
        return total <= left ? .refused(.stop(frame: start..<start + total)) : .incomplete
    }

    /// A login decides which family speaks, again with each one.
    private static func login(_ bytes: Span<UInt8>, _ start: Int, _ cursor: inout Cursor) -> Verdict? {
        let left = bytes.count - start
        if cursor.family == .lookAlike, let total = total(bytes, start), total <= left,
            bytes.uint16BE(at: start + total - 2) == GT06Frame.stop,
            GT06Frame.hasRightCRC(bytes.extracting(start..<start + total))
        {
            cursor.family = .regular
            return .frame(Run(range: start..<start + total, form: .short))
        }
        guard bytes[start + 2] == LookAlike.loginLength else { return nil }
        guard left >= LookAlike.loginBytes else { return .incomplete }
        guard bytes.uint16BE(at: start + LookAlike.loginBytes - 2) == GT06Frame.stop else { return nil }
        if cursor.family != .lookAlike, mayBeRegularLogin(bytes, start) {
            return left >= LookAlike.regularLoginBytes ? nil : .incomplete
        }
        cursor.family = .lookAlike
        return .frame(Run(range: start..<start + LookAlike.loginBytes, form: .lookAlike))
    }

    /// True while the bytes so far are those of a regular login whose serial and CRC happen to contain 0D 0A.
    private static func mayBeRegularLogin(_ bytes: Span<UInt8>, _ start: Int) -> Bool {
        let crc = CRC16.x25(bytes.extracting(start + 2..<start + 14))
        let expected: [UInt8] = [UInt8(crc >> 8), UInt8(truncatingIfNeeded: crc), 0x0D, 0x0A]
        let there = min(bytes.count - start, LookAlike.regularLoginBytes) - 14
        return (0..<there).allSatisfy { bytes[start + 14 + $0] == expected[$0] }
    }

    /// The size of the frame at `start`; nil when a byte that decides it is missing.
    ///
    /// - Parameter start: a marker with at least two bytes behind it.
    private static func lookAlikeTotal(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
        let length = Int(bytes[start + 2])
        switch bytes[start + 3] {
        case LookAlike.login: return LookAlike.loginBytes
        case 0x17, 0x18, 0x19, 0x1A, 0x69:
            // The length counts access points; the cells are counted behind them.
            let cells = start + 10 + 7 * length
            guard cells < bytes.count else { return nil }
            return 16 + 7 * length + 5 * Int(bytes[cells])
        case 0x10, 0x11, 0x13: return length + 6
        default:
            guard bytes.count - start >= LookAlike.emptyBytes else { return nil }
            return bytes.uint16BE(at: start + 4) == GT06Frame.stop ? LookAlike.emptyBytes : length + 6
        }
    }

    /// An alarm is not lost because its model says more in it than is known: it ends at its first 0D 0A.
    private static func alarmOfUnknownSize(_ bytes: Span<UInt8>, _ start: Int) -> Verdict? {
        guard bytes[start + 3] == LookAlike.sos || bytes[start + 3] == LookAlike.vibration else { return nil }
        var end = start + LookAlike.emptyBytes
        while end <= min(bytes.count, start + LookAlike.alarmBytes) {
            if bytes.uint16BE(at: end - 2) == GT06Frame.stop {
                return .frame(Run(range: start..<end, form: .lookAlike))
            }
            end += 1
        }
        return bytes.count < start + LookAlike.alarmBytes ? .incomplete : nil
    }

    /// True when a whole frame stands at `offset`, directly behind the end of another: without a CRC nothing less tells a
    /// start from content.
    static func isLookAlike(_ bytes: Span<UInt8>, _ offset: Int, after start: Int) -> Bool {
        guard offset - start >= 2, bytes.uint16BE(at: offset - 2) == GT06Frame.stop, bytes[offset] == GT06.shortMarker,
            let total = lookAlikeTotal(bytes, offset), total <= bytes.count - offset
        else { return false }
        return bytes.uint16BE(at: offset + total - 2) == GT06Frame.stop
    }
}
