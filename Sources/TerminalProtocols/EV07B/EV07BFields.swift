public import TerminalModel
import WireBytes

extension EV07BPacket {
    /// The protocol's own structure of the frame, in the shape of `expected` in the corpus.
    ///
    /// `trailing`, and `short` of a block, appear only when there is something to say.
    public var fields: JSONValue {
        var object = JSONObject()
        object.set("properties", Int(header.properties))
        object.set("ackRequested", header.isAcknowledgementWanted)
        object.set("sequence", Int(header.sequence))
        object.set("command", Int(message.command.rawValue))
        object.set("blocks", .array(message.blocks.map { $0.fields(in: message.command) }))
        switch message.command {
        case .data: data(&object)
        case .services: services(&object)
        case .configuration: configuration(&object)
        case .control: control(&object)
        case .response: object.set("result", message.result.map { Int($0.rawValue) })
        default: break
        }
        if !trailing.isEmpty { object.set("trailing", Hex.text(trailing)) }
        return object.value
    }

    private func identity(_ object: inout JSONObject) {
        guard let identity = message.identity else { return }
        object.set("imei", identity.imei)
        if !identity.deviceID.isEmpty { object.set("deviceId", identity.deviceID) }
    }

    private func data(_ object: inout JSONObject) {
        identity(&object)
        object.set("iccid", message.first(EV07BKey.iccid)?.read(EV07BText.self).text)
        object.set("heartbeatBattery", heartbeatBattery)
        if let battery = message.first(EV07BKey.battery)?.read(EV07BBattery.self) {
            object.set("battery", Int(battery.percent))
            object.set("batteryMillivolts", Int(battery.millivolts))
        }
        let records = EV07BFieldRecord.records(message.blocks)
        if !records.isEmpty { object.set("records", .array(records.map(\.fields))) }
        for (key, name, value) in [
            (EV07BKey.heartRate, "heartRate", "bpm"), (EV07BKey.bloodOxygen, "bloodOxygen", "percent"),
        ] {
            let readings = message.blocks.filter { $0.key == key }.flatMap { $0.read(EV07BReadings.self).readings }
            if !readings.isEmpty { object.set(name, .array(readings.map { $0.fields(value) })) }
        }
        for (key, name, value) in [(EV07BKey.steps, "steps", "steps"), (EV07BKey.activity, "activity", "value")] {
            let counts = message.blocks.filter { $0.key == key }.flatMap { $0.read(EV07BCounts.self).counts }
            if !counts.isEmpty { object.set(name, .array(counts.map { $0.fields(value) })) }
        }
        object.set("call", message.first(EV07BKey.call)?.read(EV07BCall.self).fields)
    }

    private var heartbeatBattery: Int? {
        message.first(EV07BKey.heartbeat)?.read(EV07BHeartbeat.self).batteryPercent.map(Int.init)
    }

    private func services(_ object: inout JSONObject) {
        identity(&object)
        object.set("iccid", message.first(EV07BKey.iccid)?.read(EV07BText.self).text)
        object.set("heartbeatBattery", heartbeatBattery)
        guard message.identity != nil else {
            // Only answers of the platform name nobody.
            object.set("time", message.first(EV07BKey.time)?.read(EV07BClock.self).seconds.map { Int($0) })
            if let place = message.first(EV07BKey.address)?.read(EV07BPlace.self) {
                object.set(place.point)
                object.set("address", place.text)
            }
            return
        }
        let told = [EV07BKey.identity, EV07BKey.iccid, EV07BKey.heartbeat, EV07BKey.status]
        let requests = message.blocks.map(\.key).filter { !told.contains($0) }
        if !requests.isEmpty { object.set("requests", .array(requests.map { .int(Int($0)) })) }
    }

    /// Only what the platform writes is taken apart: it wants an acknowledgement, the values of an answer do not.
    private func configuration(_ object: inout JSONObject) {
        guard header.isAcknowledgementWanted else { return }
        if let read = message.first(EV07BMessage.readKey) {
            object.set("keys", .array(read.value.map { .int(Int($0)) }))
        }
        if let slot = message.first(0x30)?.read(EV07BNumberSlot.self) {
            object.set("slot", Int(slot.slot))
            object.set("phone", slot.number)
        }
    }

    private func control(_ object: inout JSONObject) {
        guard let speech = message.first(EV07BControl.text.rawValue)?.read(EV07BSpeech.self) else { return }
        object.set("textType", Int(speech.kind))
        object.set("text", speech.text)
    }
}

extension EV07BBlock {
    fileprivate func fields(in command: EV07BCommand) -> JSONValue {
        var object = JSONObject()
        object.set("key", Int(key))
        object.set("hex", Hex.text(value))
        let minimum = command == .data ? EV07BRow.find(key, in: command)?.minimumByteCount ?? 0 : 0
        if value.count < minimum { object.set("short", true) }
        return object.value
    }
}

/// One record of a report as its blocks; the same grouping as that of the events.
private struct EV07BFieldRecord {
    var status: EV07BStatus?
    var alarms: [EV07BAlarm] = []
    var blocks: [EV07BBlock] = []

    static func records(_ blocks: [EV07BBlock]) -> [EV07BFieldRecord] {
        var records: [EV07BFieldRecord] = []
        var waiting: [EV07BAlarm] = []
        for block in blocks {
            switch block.key {
            case EV07BKey.status:
                records.append(EV07BFieldRecord(status: block.read(EV07BStatus.self), alarms: waiting))
                waiting.removeAll()
            case EV07BKey.alarm where records.isEmpty: waiting.append(block.read(EV07BAlarm.self))
            case EV07BKey.alarm: records[records.count - 1].alarms.append(block.read(EV07BAlarm.self))
            case _ where EV07BKey.isPosition(block.key):
                if records.isEmpty { records.append(EV07BFieldRecord()) }
                records[records.count - 1].blocks.append(block)
            default: break
            }
        }
        if !waiting.isEmpty {
            if records.isEmpty { records.append(EV07BFieldRecord()) }
            records[0].alarms += waiting
        }
        return records
    }

    var fields: JSONValue {
        var object = JSONObject()
        if let status {
            object.set("time", Int(status.time))
            object.set("status", Int(status.bits))
            object.set("battery", status.battery)
            object.set("signal", status.signal)
        }
        object.set("alarms", .array(names.map(JSONValue.string)))
        object.set("alarmTime", alarms.first { $0.time != nil && $0.time != status?.time }?.time.map { Int($0) })
        object.set("extendedAlarms", alarms.first { $0.extendedFlags != nil }?.extendedFlags.map { Int($0) })
        object.set("gps", blocks.last { $0.key == EV07BKey.gps }?.read(EV07BGPS.self).fields)
        list("wifi", [EV07BKey.wifi, EV07BKey.namedWiFi], &object) {
            $0.read(EV07BWiFi.self).accessPoints.map(\.fields)
        }
        list("cells", EV07BCells.Layout.allCases.map(\.rawValue), &object) { $0.read(EV07BCells.self).fields }
        list("bluetooth", [EV07BKey.bluetooth], &object) { [$0.read(EV07BBluetooth.self).fields] }
        list("bluetoothPositions", [EV07BKey.bluetoothPosition], &object) { [$0.read(EV07BArea.self).fields] }
        object.set("smart", blocks.last { $0.key == EV07BKey.smartPosition }?.read(EV07BArea.self).fields)
        list("beacons", [EV07BKey.beacon, EV07BKey.beacon2], &object) { [$0.read(EV07BBeacon.self).fields] }
        let home = blocks.filter { $0.key == EV07BKey.homeWiFi }.map { $0.read(EV07BBeacon.self).fields }
        if !home.isEmpty { object.set("homeWifi", home.count == 1 ? home[0] : .array(home)) }
        return object.value
    }

    /// The document's names whatever a model says: fields are the wire's, meanings are the events'.
    private var names: [String] {
        var names: [String] = []
        for alarm in alarms { EV07BAlarms.standard.forEach(in: alarm) { names.append($0.name) } }
        return names
    }

    private func list(
        _ name: String, _ keys: [UInt8], _ object: inout JSONObject, _ values: (EV07BBlock) -> [JSONValue]
    ) {
        let all = blocks.filter { keys.contains($0.key) }
        if !all.isEmpty { object.set(name, .array(all.flatMap(values))) }
    }
}

extension EV07BGPS {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("latitude", point.latitudeDegrees)
        object.set("longitude", point.longitudeDegrees)
        object.set("speedKmh", Int(speed))
        object.set("course", Int(direction))
        object.set("altitude", Int(altitude))
        object.set("hdop", Double(hdop) / 10)
        object.set("mileage", Int(mileage))
        object.set("satellites", Int(satellites))
        return object.value
    }
}

extension EV07BWiFi.AccessPoint {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("mac", EV07BNames.address(address))
        object.set("rssi", Int(signal))
        object.set("name", name)
        return object.value
    }
}

extension EV07BCells {
    fileprivate var fields: [JSONValue] {
        cells.map { cell in
            var object = JSONObject()
            object.set("mcc", Int(country))
            object.set("mnc", Int(network))
            object.set("lac", Int(cell.area))
            object.set("cid", Int(cell.identity))
            object.set("rssi", Int(cell.level))
            return object.value
        }
    }
}

extension JSONObject {
    fileprivate mutating func set(_ point: EV07BPoint?) {
        set("latitude", point?.latitudeDegrees)
        set("longitude", point?.longitudeDegrees)
    }
}

extension EV07BBluetooth {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("mac", address.map(EV07BNames.address))
        object.set(point)
        if !description.isEmpty { object.set("description", description) }
        return object.value
    }
}

extension EV07BArea {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("mac", address.map(EV07BNames.address))
        object.set(point)
        object.set("radius", Int(radius))
        object.set("height", Int(height))
        return object.value
    }
}

extension EV07BBeacon {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("index", Int(index))
        object.set("mac", EV07BNames.address(address))
        object.set("rssi", Int(signal))
        object.set("rssi1m", signalAtOneMetre.map { Int($0) })
        object.set("battery", battery.map { Int($0) })
        object.set(point)
        object.set("description", description)
        object.set("temperature", temperature.map { Double($0) / 10 })
        return object.value
    }
}

extension EV07BReadings.Reading {
    fileprivate func fields(_ name: String) -> JSONValue {
        var object = JSONObject()
        object.set("time", Int(time))
        object.set(name, Int(value))
        object.set("confidence", Int(confidence))
        return object.value
    }
}

extension EV07BCounts.Count {
    fileprivate func fields(_ name: String) -> JSONValue {
        var object = JSONObject()
        object.set("time", Int(time))
        object.set(name, Int(value))
        return object.value
    }
}

extension EV07BCall {
    fileprivate var fields: JSONValue {
        var object = JSONObject()
        object.set("time", Int(time))
        object.set("flag", Int(flag))
        object.set("duration", Int(durationSeconds))
        object.set("returnCode", Int(returnCode))
        object.set("phone", number)
        return object.value
    }
}
