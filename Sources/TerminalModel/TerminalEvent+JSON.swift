extension TerminalEvent {
    /// The event as one JSON object in the key order of DESIGN section 4; unknown members are absent.
    public var json: JSONValue {
        var object = JSONObject()
        object.set("protocol", protocolName.rawValue)
        object.set("terminal", terminal.description)
        object.set("message", message.description)
        object.set("sequence", sequence)
        object.set("received", received)
        object.set("kind", kind.rawValue)
        object.set("historical", historical)
        object.set("device_time", deviceTime)
        object.set("position", position?.json)
        if !alarms.isEmpty { object.set("alarms", .array(alarms.kinds.map { .string($0.name) })) }
        if !keys.isEmpty { object.set("keys", .array(keys.map(JSONValue.int))) }
        object.set("battery_percent", batteryPercent)
        object.set("battery_volts", batteryVolts)
        object.set("external_volts", externalVolts)
        object.set("charging", charging)
        object.set("signal_percent", signalPercent)
        object.set("moving", moving)
        object.set("steps", steps)
        object.set("heart_rate_bpm", heartRateBeatsPerMinute)
        object.set("blood_oxygen_percent", bloodOxygenPercent)
        if let bloodPressure {
            object.set(
                "blood_pressure_mmhg",
                .array([.int(bloodPressure.systolicMillimetres), .int(bloodPressure.diastolicMillimetres)]))
        }
        object.set("temperature_celsius", temperatureCelsius)
        object.set("imei", imei)
        object.set("iccid", iccid)
        if !cells.isEmpty { object.set("cells", .array(cells.map(\.json))) }
        if !wifi.isEmpty { object.set("wifi", .array(wifi.map(\.json))) }
        object.set("text", text)
        if !extras.isEmpty {
            object.set("extras", .object(extras.map { .init($0.name, .string($0.hex)) }))
        }
        return object.value
    }
}

extension Position {
    public var json: JSONValue {
        var object = JSONObject()
        object.set("valid", valid)
        object.set("latitude", latitudeDegrees)
        object.set("longitude", longitudeDegrees)
        object.set("altitude_m", altitudeMetres)
        object.set("speed_kmh", speedKilometresPerHour)
        object.set("course_deg", courseDegrees)
        object.set("satellites", satellites)
        object.set("hdop", hdop)
        object.set("accuracy_m", accuracyMetres)
        object.set("source", source.rawValue)
        return object.value
    }
}

extension CellTower {
    public var json: JSONValue {
        var object = JSONObject()
        object.set("mcc", mobileCountryCode)
        object.set("mnc", mobileNetworkCode)
        object.set("lac", locationAreaCode)
        object.set("cell", cellIdentity)
        object.set("signal_dbm", signalDecibelMilliwatts)
        return object.value
    }
}

extension WiFiAccessPoint {
    public var json: JSONValue {
        var object = JSONObject()
        let digits = String(address & 0xFFFF_FFFF_FFFF, radix: 16)
        object.set("mac", String(repeating: "0", count: max(0, 12 - digits.count)) + digits)
        object.set("rssi_dbm", signalDecibelMilliwatts)
        return object.value
    }
}
