internal import TerminalModel
internal import TerminalProtocols

/// EV07B: every block that is known is replaced, all others are dropped; settings, texts and calls are.
final class EV07BAnonymiser: FrameAnonymiser {
    /// Blocks of numbers about the terminal itself.
    private static let harmless: Set<UInt8> = [EV07BKey.heartbeat, EV07BKey.historical, EV07BKey.battery]

    private let pseudonyms: Pseudonyms

    init(_ pseudonyms: Pseudonyms) {
        self.pseudonyms = pseudonyms
    }

    func anonymise(_ bytes: [UInt8]) -> AnonymousFrame {
        let framer = EV07BFramer()
        var cursor = EV07BFramer.Cursor()
        while true {
            switch framer.next(in: bytes.span, at: &cursor) {
            case .needMore: return .dropped("broken")
            case .rejected: continue
            case .frame(let range):
                do throws(DecodeError) {
                    let frame = try EV07BFrame(checking: bytes.span.extracting(range))
                    return anonymise(try EV07BCodec.decode(frame))
                } catch {
                    return .dropped(error.message?.description ?? "broken")
                }
            }
        }
    }

    private func anonymise(_ packet: EV07BPacket) -> AnonymousFrame {
        let command = packet.message.command
        let name = command.message.description
        switch command {
        // The key of an answer is its result.
        case .response:
            let blocks = packet.message.blocks.prefix(1).map { EV07BBlock(key: $0.key) }
            return .kept(
                EV07BCodec.encode(EV07BMessage(command, blocks), header: packet.header), droppedParts: [])
        case .data, .services: break
        default: return .dropped(name)
        }
        var blocks: [EV07BBlock] = []
        var dropped: [String] = packet.trailing.isEmpty ? [] : ["\(name) trailing"]
        for block in packet.message.blocks {
            if let replaced = replaced(block, command) {
                blocks.append(replaced)
            } else {
                dropped.append("\(name) key 0x" + (block.key < 16 ? "0" : "") + String(block.key, radix: 16))
            }
        }
        guard blocks.contains(where: { $0.key != EV07BKey.identity }) else { return .dropped(name) }
        return .kept(
            EV07BCodec.encode(EV07BMessage(command, blocks), header: packet.header), droppedParts: dropped)
    }

    private func replaced(_ block: EV07BBlock, _ command: EV07BCommand) -> EV07BBlock? {
        if block.key == EV07BKey.identity {
            let identity = block.read(EV07BIdentity.self)
            return EV07BBlock(key: block.key, EV07BIdentity(imei: pseudonyms.word(identity.imei)))
        }
        if command == .services, block.key == EV07BKey.time { return time(block) }
        if command == .data, block.value.isEmpty { return block }
        if Self.harmless.contains(block.key) { return block.value.count <= 3 ? block : nil }
        return report(block)
    }

    private func time(_ block: EV07BBlock) -> EV07BBlock {
        var clock = block.read(EV07BClock.self)
        clock.seconds = clock.seconds.map { moved($0) }
        return EV07BBlock(key: block.key, clock)
    }

    private func report(_ block: EV07BBlock) -> EV07BBlock? {
        switch block.key {
        case EV07BKey.alarm:
            var alarm = block.read(EV07BAlarm.self)
            alarm.time = alarm.time.map { moved($0) }
            return EV07BBlock(key: block.key, alarm)
        case EV07BKey.status:
            var status = block.read(EV07BStatus.self)
            status.time = moved(status.time)
            return EV07BBlock(key: block.key, status)
        case EV07BKey.gps where block.value.count >= EV07BGPS.minimumByteCount:
            var gps = block.read(EV07BGPS.self)
            let point = moved(gps.point)
            gps.latitude = point.latitude
            gps.longitude = point.longitude
            return EV07BBlock(key: block.key, gps)
        case EV07BKey.gsmCells, EV07BKey.lteCells, EV07BKey.lteCellsWide:
            var cells = block.read(EV07BCells.self)
            for index in cells.cells.indices {
                let cell = cells.cells[index]
                cells.cells[index].area = UInt16(
                    truncatingIfNeeded: pseudonyms.code(UInt64(cell.area), of: "area", bits: 16))
                cells.cells[index].identity = UInt32(
                    truncatingIfNeeded: pseudonyms.code(
                        UInt64(cell.identity), of: "cell", bits: block.key == EV07BKey.gsmCells ? 16 : 32))
            }
            return EV07BBlock(key: block.key, cells)
        case EV07BKey.wifi, EV07BKey.namedWiFi:
            var wifi = block.read(EV07BWiFi.self)
            for index in wifi.accessPoints.indices {
                wifi.accessPoints[index].address = pseudonyms.radioAddress(wifi.accessPoints[index].address)
                wifi.accessPoints[index].name = wifi.accessPoints[index].name.map { pseudonyms.word($0) }
            }
            return EV07BBlock(key: block.key, wifi)
        case EV07BKey.beacon, EV07BKey.homeWiFi, EV07BKey.beacon2:
            var beacon = block.read(EV07BBeacon.self)
            beacon.address = pseudonyms.radioAddress(beacon.address)
            beacon.point = beacon.point.map { moved($0) }
            beacon.description = beacon.description.map { pseudonyms.word($0) }
            return EV07BBlock(key: block.key, beacon)
        case EV07BKey.steps, EV07BKey.activity:
            let counts = block.read(EV07BCounts.self).counts.map {
                EV07BCounts.Count(time: moved($0.time), value: $0.value)
            }
            return EV07BBlock(key: block.key, EV07BCounts(counts))
        case EV07BKey.heartRate, EV07BKey.bloodOxygen:
            let readings = block.read(EV07BReadings.self).readings.map {
                EV07BReadings.Reading(time: moved($0.time), value: $0.value, confidence: $0.confidence)
            }
            return EV07BBlock(key: block.key, EV07BReadings(readings))
        default: return nil
        }
    }

    private func moved(_ point: EV07BPoint) -> EV07BPoint {
        let (latitude, longitude) = pseudonyms.moved(latitudeE7: Int(point.latitude), longitudeE7: Int(point.longitude))
        return EV07BPoint(latitude: Int32(clamping: latitude), longitude: Int32(clamping: longitude))
    }

    /// Seconds since 1970; 0 is none.
    private func moved(_ seconds: UInt32) -> UInt32 {
        guard seconds != 0 else { return 0 }
        return UInt32(clamping: Int64(seconds) + pseudonyms.timeShiftMilliseconds / 1000)
    }
}
