import TerminalModel

@testable import TerminalProtocols

/// Random messages of every kind, for the way there and back.
enum GT06RandomMessage {
    /// Every number whose content is more than bytes, and one of those that are not.
    static let numbers: [UInt8] = [
        0x01, 0x10, 0x11, 0x12, 0x13, 0x15, 0x16, 0x18, 0x19, 0x1A, 0x21, 0x22, 0x23, 0x24, 0x26, 0x27, 0x28, 0x2A,
        0x2C, 0x2E, 0x36, 0x80, 0x8A, 0x94, 0x95, 0xA0, 0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA7, 0xB2,
    ]

    static func make(_ number: UInt8, _ random: inout SplitMix) -> GT06Message {
        switch number {
        case 0x01: .login(login(&random))
        case 0x10, 0x11, 0x12, 0x22, 0xA0: .location(number, location(number, &random))
        case 0x13: .heartbeat(heartbeat(&random))
        case 0x15: .reply(number, .init(serverFlag: random.dword(), text: text(&random), language: random.word()))
        case 0x21: .reply(number, wideReply(&random))
        case 0x16, 0x26, 0x27, 0xA3, 0xA4: .alarm(number, alarm(number, &random))
        case 0x18, 0x24, 0x28, 0x2C, 0x2E, 0xA1, 0xA2: .cells(number, cells(number, &random))
        case 0x19, 0xA5:
            .cellAlarm(number, .init(cell: cell(number, &random), status: status(.level(random.byte()), &random)))
        case 0x1A, 0x2A, 0xA7: .addressRequest(number, addressRequest(number, &random))
        case 0x23:
            .voltageHeartbeat(
                .init(
                    information: random.byte(), voltage: random.word(), signal: random.byte(), language: random.word()))
        case 0x36: module(&random)
        case 0x80:
            .command(
                .init(
                    serverFlag: random.dword(), text: text(&random),
                    language: random.below(2) == 0 ? nil : random.word()))
        case 0x8A: random.below(2) == 0 ? .timeRequest : .time(.init(time: GT06Time(rawValue: random.next())))
        case 0x94: .information(information(&random))
        case 0x95: .unreadableAlarm(number, GT06Bytes(random.bytes(1 + random.below(40))))
        default:
            random.below(4) == 0
                ? .acknowledgement(number) : .unknown(number, GT06Bytes(random.bytes(1 + random.below(40))))
        }
    }

    static func lookAlike(_ random: inout SplitMix) -> GT06LookAlike {
        switch random.below(9) {
        case 0: .login(imeiNibbles: random.next(), version: random.byte())
        case 1: .heartbeat(random.below(2) == 0 ? nil : position(&random))
        case 2: .position(.init(isStored: random.below(2) == 0, gps: position(&random)))
        case 3:
            .position(
                .init(
                    isStored: random.below(2) == 0, gps: position(&random), altitude: Int16(bitPattern: random.word()),
                    alarms: random.byte()))
        case 4: .status(GT06Bytes(random.bytes(random.below(9))))
        case 5: .cells([0x17, 0x18, 0x19, 0x1A, 0x69][random.below(5)], lookAlikeCells(&random))
        case 6: .timeRequest
        case 7: .alarm(0x99, GT06Bytes(random.bytes(random.below(9)).map { $0 == 0x0D ? 0 : $0 }))
        default: .alarm(0x94, GT06Bytes())
        }
    }

    // MARK: Parts

    private static func login(_ random: inout SplitMix) -> GT06Login {
        let parts = random.below(3)
        return GT06Login(
            imeiNibbles: random.next(), typeCode: parts > 0 ? random.word() : nil, zone: parts > 1 ? random.word() : nil
        )
    }

    private static func heartbeat(_ random: inout SplitMix) -> GT06Heartbeat {
        switch random.below(3) {
        case 0: .init(information: random.byte())
        case 1: .init(information: random.byte(), battery: random.byte())
        default:
            .init(
                information: random.byte(), battery: random.byte(), signal: random.byte(),
                extra: random.bytes(random.below(12)))
        }
    }

    static func position(_ random: inout SplitMix) -> GT06Position {
        let time = [
            random.below(256), 1 + random.below(12), 1 + random.below(31), random.below(24), random.below(60),
            random.below(60),
        ]
        return GT06Position(
            time: GT06Time(rawValue: time.reduce(0) { $0 << 8 | UInt64($1) }), lengthAndSatellites: random.byte(),
            latitude: random.dword() % 162_000_001, longitude: random.dword() % 324_000_001, speed: random.byte(),
            course: random.word())
    }

    private static func cell(_ number: UInt8, _ random: inout SplitMix) -> GT06Cell {
        let isWide = random.below(2) == 0
        let isLong = GT06Cell.isLong(number)
        return GT06Cell(
            countryCode: random.word(), networkCode: isWide ? random.word() : UInt16(random.byte()), isWide: isWide,
            areaCode: isLong ? random.dword() : UInt32(random.word()),
            identity: isLong ? random.next() : UInt64(random.dword() & 0xFF_FFFF))
    }

    private static func location(_ number: UInt8, _ random: inout SplitMix) -> GT06Location {
        let cell = random.below(8) == 0 ? nil : cell(number, &random)
        guard GT06Location.hasTrailer(number), random.below(8) > 0 else {
            return .init(gps: position(&random), cell: cell)
        }
        return GT06Location(
            gps: position(&random), cell: cell,
            trailer: .init(
                accessory: random.byte(), uploadMode: random.byte(), reupload: random.byte(),
                mileage: random.below(2) == 0 ? random.dword() : nil))
    }

    private static func status(_ power: GT06Status.Power, _ random: inout SplitMix) -> GT06Status {
        GT06Status(
            information: random.byte(), power: power, signal: random.byte(), alarm: random.byte(),
            language: random.byte())
    }

    /// Every layout whose size tells it from the others.
    private static func alarm(_ number: UInt8, _ random: inout SplitMix) -> GT06Alarm {
        let fence = GT06Alarm.hasFence(number) ? random.byte() : nil
        let gps = position(&random)
        switch random.below(6) {
        case 0:
            return GT06Alarm(
                gps: gps, cellLength: 9, cell: cell(number, &random),
                status: status(.pair(random.byte(), random.byte()), &random),
                fence: fence)
        case 1:
            return GT06Alarm(
                gps: gps, cellLength: 9, cell: cell(number, &random), status: status(.level(random.byte()), &random),
                fence: fence, mileage: random.dword())
        case 2:
            return GT06Alarm(
                gps: gps, cellLength: 9, cell: cell(number, &random), status: status(.pair(0, random.byte()), &random),
                fence: fence, card: random.next())
        case 3:
            return GT06Alarm(
                gps: gps, cellLength: 9, cell: cell(number, &random), status: status(.level(random.byte()), &random),
                fence: fence, card: random.next())
        case 4:
            var narrow = cell(number, &random)
            narrow.isWide = false
            narrow.networkCode &= 0xFF
            let power: GT06Status.Power = number == 0x16 ? .voltage(0x0718 + random.word() % 0x400) : .level(4)
            return GT06Alarm(gps: gps, cellLength: nil, cell: narrow, status: status(power, &random), fence: fence)
        default:
            return GT06Alarm(
                gps: gps, cellLength: random.byte() | 1, cell: cell(number, &random),
                status: status(.level(random.byte()), &random),
                fence: fence)
        }
    }

    private static func cells(_ number: UInt8, _ random: inout SplitMix) -> GT06Cells {
        let isLong = GT06Cell.isLong(number)
        let isWide = random.below(2) == 0
        let used = random.below(8)
        let list = (0..<used).map { _ in
            GT06Cells.Cell(
                areaCode: isLong ? random.dword() | 1 : UInt32(random.word()) | 1,
                identity: isLong ? random.next() : UInt64(random.dword() & 0xFF_FFFF), signal: random.byte())
        }
        var points: [GT06Cells.AccessPoint]?
        if GT06Cells.hasAccessPoints(number) {
            let named = random.below(2) == 0
            points = (0..<random.below(9)).map { index in
                .init(
                    address: random.next(), signal: random.byte(),
                    name: named ? random.bytes(index == 0 ? 4 : random.below(20)) : nil)
            }
        }
        return GT06Cells(
            time: position(&random).time, countryCode: random.word(),
            networkCode: isWide ? random.word() : UInt16(random.byte()), isWide: isWide, cells: list,
            timingAdvance: random.byte(), language: points == nil ? random.word() : nil, accessPoints: points)
    }

    private static func lookAlikeCells(_ random: inout SplitMix) -> GT06LookAlikeCells {
        GT06LookAlikeCells(
            time: random.next(),
            accessPoints: (0..<random.below(6)).map { _ in .init(address: random.next(), signal: random.byte()) },
            countryCode: random.word(), networkCode: random.byte(),
            cells: (0..<random.below(6)).map { _ in
                .init(areaCode: random.word(), identity: random.word(), signal: random.byte())
            })
    }

    private static func text(_ random: inout SplitMix) -> String {
        String((0..<1 + random.below(60)).map { _ in Character(UnicodeScalar(UInt8(0x20 + random.below(95)))) })
    }

    private static func wideReply(_ random: inout SplitMix) -> GT06Reply {
        random.below(2) == 0
            ? .init(serverFlag: random.dword(), encoding: 1, text: text(&random))
            : .init(serverFlag: random.dword(), encoding: 2, text: text(&random) + "已接警🚑")
    }

    private static func addressRequest(_ number: UInt8, _ random: inout SplitMix) -> GT06AddressRequest {
        let parts = random.below(3)
        return GT06AddressRequest(
            place: number == 0xA7 ? .cell(cell(number, &random)) : .gps(position(&random)),
            phone: "1380000\(random.below(9999))",
            alarm: parts > 0 ? random.byte() : nil, language: parts > 1 ? random.byte() : nil)
    }

    /// A heartbeat with modules, or of the size of an alarm with a card.
    private static func module(_ random: inout SplitMix) -> GT06Message {
        if random.below(2) == 0 {
            let cell = cell(0x36, &random)
            let power: GT06Status.Power = cell.isWide ? .level(random.byte()) : .pair(random.byte(), random.byte())
            return .alarm(
                0x36,
                GT06Alarm(
                    gps: position(&random), cellLength: 16, cell: cell, status: status(power, &random),
                    card: random.next()))
        }
        return .moduleHeartbeat(
            .init(
                information: random.byte(),
                modules: (0..<random.below(5)).map { _ in
                    .init(id: random.word(), value: random.bytes(random.below(9)))
                }))
    }

    private static func information(_ random: inout SplitMix) -> GT06Information {
        switch random.below(4) {
        case 0: .voltage(random.word())
        case 1: .text([0x04, 0x08, 0x0D, 0x1B][random.below(4)], text(&random))
        case 2: .identity(imei: random.next(), imsi: random.next(), iccid: random.bytes(10))
        default: .other(0x05, GT06Bytes(random.bytes(random.below(20))))
        }
    }
}
