import CDecodeReference
import TerminalModel
import TerminalProtocols
import WireBytes

/// The decoder's public way from bytes to values, as a session walks it.
enum Decode {
    /// Finds, unescapes, checks and decodes every frame of `bytes`, adding what it finds to `digest`.
    static func values(_ bytes: Span<UInt8>, _ framer: inout JT808Framer, into digest: inout decode_digest) {
        var cursor = JT808Framer.Cursor()
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore: return
            case .rejected: digest.rejected &+= 1
            case .frame(let run):
                if run.wasEscaped { digest.escaped &+= 1 }
                do throws(DecodeError) {
                    add(try JT808Frame(checking: framer.contents(of: run, in: bytes)), to: &digest)
                } catch {
                    digest.rejected &+= 1
                }
            }
        }
    }

    @inline(__always)
    private static func add(_ frame: borrowing JT808Frame, to digest: inout decode_digest) {
        guard frame.messageID == 0x0200, !frame.isPackage, let basic = JT808BasicLocation(frame.body) else {
            digest.rejected &+= 1
            return
        }
        digest.frames &+= 1
        digest.phone &+= UInt64(truncatingIfNeeded: frame.phone.nibbles) & 0xFFFF_FFFF_FFFF
        digest.flow &+= UInt64(frame.flowID)
        digest.alarms &+= UInt64(basic.alarmFlags)
        digest.status &+= UInt64(basic.status)
        digest.latitude &+= UInt64(basic.latitude)
        digest.longitude &+= UInt64(basic.longitude)
        digest.altitude &+= UInt64(bitPattern: Int64(basic.altitude))
        digest.speed &+= UInt64(basic.speed)
        digest.direction &+= UInt64(basic.direction)
        let time = basic.time.timestamp(utcOffsetMinutes: 480)
        digest.seconds &+= UInt64(bitPattern: time.map { $0.milliseconds / 1000 } ?? -1)
        var walk = JT808ItemWalk(frame.body.extracting(droppingFirst: JT808BasicLocation.byteCount))
        while let item = walk.next() {
            digest.items &+= 1
            switch (item.id, item.value.count) {
            case (0x01, 4): digest.mileage &+= UInt64(walk.bytes.uint32BE(at: item.value.lowerBound))
            case (0x30, 1): digest.signal &+= UInt64(walk.bytes[item.value.lowerBound])
            case (0x31, 1): digest.satellites &+= UInt64(walk.bytes[item.value.lowerBound])
            case (0x56, 2): digest.battery &+= UInt64(walk.bytes[item.value.lowerBound + 1])
            default: digest.otherBytes &+= UInt64(item.value.count)
            }
        }
    }

    /// The same bytes to normalised events; returns a sum that keeps the work from being left out.
    static func events(_ bytes: Span<UInt8>, _ framer: inout JT808Framer) -> Int {
        let profile = JT808Profile.standard
        var cursor = JT808Framer.Cursor()
        var sum = 0
        while true {
            switch framer.next(in: bytes, at: &cursor) {
            case .needMore: return sum
            case .rejected: continue
            case .frame(let run):
                guard let frame = try? JT808Frame(checking: framer.contents(of: run, in: bytes)),
                    let event = frame.locationEvent(profile: profile)
                else { continue }
                sum &+= (event.batteryPercent ?? 0) &+ (event.position?.satellites ?? 0)
            }
        }
    }
}
