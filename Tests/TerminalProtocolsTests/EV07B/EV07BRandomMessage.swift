import TerminalModel
import WireBytes

@testable import TerminalProtocols

/// Random values of every key of every command, within what the wire can carry.
enum EV07BRandomMessage {
    /// Letters that survive as UTF-8, never a zero at the end.
    static func text(_ maximumBytes: Int, _ random: inout SplitMix) -> String {
        let letters = Array("0123456789PAXYZ-好请回电中心é~")
        var result = ""
        while result.utf8.count < maximumBytes, random.below(12) > 0 {
            let letter = letters[random.below(letters.count)]
            guard result.utf8.count + letter.utf8.count <= maximumBytes else { break }
            result.append(letter)
        }
        return result
    }

    static func digits(_ count: Int, _ random: inout SplitMix) -> String {
        String((0..<count).map { _ in Character(String(random.below(10))) })
    }

    static func list<Value>(
        _ maximum: Int, _ random: inout SplitMix, _ make: (inout SplitMix) -> Value
    ) -> [Value] {
        (0..<random.below(maximum + 1)).map { _ in make(&random) }
    }

    static func point(_ random: inout SplitMix) -> EV07BPoint {
        EV07BPoint(latitude: Int32(bitPattern: random.dword()), longitude: Int32(bitPattern: random.dword()))
    }

    private static func flip(_ random: inout SplitMix) -> Bool { random.below(2) == 0 }
    private static func int8(_ random: inout SplitMix) -> Int8 { Int8(bitPattern: random.byte()) }
    private static func int16(_ random: inout SplitMix) -> Int16 { Int16(bitPattern: random.word()) }
    private static func address(_ random: inout SplitMix) -> UInt64 { random.next() >> 16 }

    static func value(_ row: EV07BRow, _ random: inout SplitMix) -> any EV07BValue {
        switch row.type {
        case is EV07BBytes.Type: return EV07BBytes(random.bytes(random.below(40)))
        case is EV07BText.Type: return EV07BText(text(60, &random))
        case is EV07BNumber.Type: return EV07BNumber(random.dword(), byteCount: row.minimumByteCount)
        case is EV07BPlace.Type:
            return EV07BPlace(point: flip(&random) ? point(&random) : nil, text: text(40, &random))
        case is EV07BCells.Type, is EV07BWiFi.Type, is EV07BBeacon.Type, is EV07BBluetooth.Type, is EV07BArea.Type:
            return radio(row, &random)
        case is EV07BCounts.Type:
            return EV07BCounts(list(20, &random) { .init(time: $0.dword(), value: $0.dword()) })
        case is EV07BReadings.Type:
            return EV07BReadings(list(20, &random) { .init(time: $0.dword(), value: $0.byte(), confidence: $0.byte()) })
        default: return data(row, &random) ?? setting(row, &random)
        }
    }

    private static func radio(_ row: EV07BRow, _ random: inout SplitMix) -> any EV07BValue {
        switch row.type {
        case is EV07BCells.Type:
            let layout = EV07BCells.Layout(rawValue: row.key)!
            return EV07BCells(
                layout: layout, country: random.word(),
                network: layout == .lteWide ? random.word() : UInt16(random.byte()),
                cells: list(9, &random) {
                    .init(level: int8(&$0), area: $0.word(), identity: layout == .gsm ? UInt32($0.word()) : $0.dword())
                })
        case is EV07BWiFi.Type:
            return EV07BWiFi(
                list(9, &random) {
                    .init(
                        signal: int8(&$0), address: address(&$0),
                        name: row.key == EV07BKey.namedWiFi ? text(12, &$0) : nil)
                })
        case is EV07BBluetooth.Type:
            return EV07BBluetooth(
                address: flip(&random) ? address(&random) : nil, point: flip(&random) ? point(&random) : nil,
                description: text(20, &random))
        case is EV07BArea.Type:
            return EV07BArea(
                address: row.key == EV07BKey.bluetoothPosition ? address(&random) : nil, point: point(&random),
                radius: random.word(), height: int16(&random))
        default:
            let kind = EV07BBeacon.Kind(rawValue: row.key)!
            return EV07BBeacon(
                kind: kind, index: random.byte(), address: address(&random), signal: int8(&random),
                signalAtOneMetre: int8(&random), battery: random.byte(), point: flip(&random) ? point(&random) : nil,
                description: flip(&random) ? text(20, &random) : nil, temperature: flip(&random) ? int16(&random) : nil)
        }
    }

    private static func data(_ row: EV07BRow, _ random: inout SplitMix) -> (any EV07BValue)? {
        switch row.type {
        case is EV07BIdentity.Type:
            return EV07BIdentity(imei: digits(15, &random), deviceID: text(10, &random))
        case is EV07BAlarm.Type:
            return EV07BAlarm(
                flags: random.dword(), time: flip(&random) ? random.dword() : nil,
                extendedFlags: flip(&random) ? random.dword() : nil)
        case is EV07BStatus.Type:
            return EV07BStatus(
                time: random.dword(), bits: random.dword(), extensionBits: flip(&random) ? random.dword() : nil)
        case is EV07BGPS.Type:
            return EV07BGPS(
                latitude: Int32(bitPattern: random.dword()), longitude: Int32(bitPattern: random.dword()),
                speed: random.word(), direction: random.word(), altitude: int16(&random), hdop: random.word(),
                mileage: random.dword(), satellites: random.byte())
        case is EV07BBattery.Type: return EV07BBattery(percent: random.byte(), millivolts: random.word())
        case is EV07BHeartbeat.Type: return EV07BHeartbeat(batteryPercent: flip(&random) ? random.byte() : nil)
        case is EV07BClock.Type: return EV07BClock(seconds: flip(&random) ? random.dword() : nil)
        case is EV07BSpeech.Type: return EV07BSpeech(kind: random.byte(), text: text(60, &random))
        case is EV07BBarking.Type:
            return EV07BBarking(time: random.dword(), count: random.dword(), hasStopped: flip(&random))
        case is EV07BCall.Type:
            return EV07BCall(
                time: random.dword(), flag: random.byte(), durationSeconds: random.word(), returnCode: random.byte(),
                number: text(20, &random))
        default: return nil
        }
    }

    private static func setting(_ row: EV07BRow, _ random: inout SplitMix) -> any EV07BValue {
        switch row.type {
        case is EV07BWorkMode.Type: EV07BWorkMode(intervalSeconds: random.dword() >> 8, mode: random.byte())
        case is EV07BAlarmClock.Type:
            EV07BAlarmClock(
                index: random.byte(), isEnabled: flip(&random), hour: random.byte(), minute: random.byte(),
                weekdays: random.byte(), durationSeconds: random.byte(), ring: random.byte())
        case is EV07BDoNotDisturb.Type:
            EV07BDoNotDisturb(
                isEnabled: flip(&random), startHour: random.byte(), startMinute: random.byte(), endHour: random.byte(),
                endMinute: random.byte())
        case is EV07BPassword.Type: EV07BPassword(password: random.dword(), isEnabled: flip(&random))
        case is EV07BTimeZone.Type: EV07BTimeZone(quarterHours: int8(&random))
        case is EV07BSwitches.Type: EV07BSwitches(rawValue: random.dword())
        case is EV07BAssistedPlace.Type: EV07BAssistedPlace(isEnabled: flip(&random), point: point(&random))
        case is EV07BKeyFunction.Type:
            EV07BKeyFunction(
                feedback: random.word(), pressTime: random.word(), task: random.word(), mode: random.word(),
                isEnabled: flip(&random))
        case is EV07BPowerAlert.Type:
            EV07BPowerAlert(lowPercent: random.byte(), secondPercent: random.byte(), flags: random.byte())
        case is EV07BFence.Type:
            EV07BFence(
                index: random.byte(), isEnabled: flip(&random), alertsOnEntering: flip(&random),
                isPolygon: flip(&random), radiusMetres: random.word(), points: list(18, &random, point))
        case is EV07BMotionAlert.Type:
            EV07BMotionAlert(number: random.dword(), dials: flip(&random), isEnabled: flip(&random))
        case is EV07BOverspeed.Type: EV07BOverspeed(kilometresPerHour: random.word(), isEnabled: flip(&random))
        case is EV07BFall.Type:
            EV07BFall(level: random.byte(), isAlwaysOn: flip(&random), dials: flip(&random), isEnabled: flip(&random))
        case is EV07BNumberSlot.Type:
            EV07BNumberSlot(
                slot: random.byte(), number: digits(random.below(20), &random), calls: flip(&random),
                messages: flip(&random), isEnabled: flip(&random), dialsWithoutRegistration: flip(&random))
        case is EV07BPrefix.Type: EV07BPrefix(isEnabled: flip(&random), text: text(20, &random))
        case is EV07BDialling.Type:
            EV07BDialling(holdSeconds: random.word(), rings: random.byte(), loops: random.byte())
        case is EV07BPhoneSwitches.Type:
            EV07BPhoneSwitches(ringsBeforeAnswer: random.byte(), switches: random.dword())
        case is EV07BServer.Type:
            EV07BServer(isEnabled: flip(&random), isUDP: flip(&random), port: random.word(), host: text(40, &random))
        case is EV07BIntervals.Type:
            EV07BIntervals(
                heartbeatSeconds: random.dword(), isHeartbeatEnabled: flip(&random), uploadSeconds: random.dword(),
                idleUploadSeconds: random.dword())
        case is EV07BContinuousLocating.Type:
            EV07BContinuousLocating(intervalSeconds: random.word(), durationSeconds: random.word())
        default: fatalError("no random value for \(row.type)")
        }
    }
}
