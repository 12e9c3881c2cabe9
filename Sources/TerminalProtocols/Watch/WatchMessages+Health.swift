import TerminalModel

/// bphrt: systolic, diastolic, beats per minute and details of the wearer; BLOOD: the first two. Sample: `blood-pressure`.
///
/// Later fields may be empty or missing. Source: section 7.
public struct WatchBloodPressure: WatchBody {
    public var keyword: String
    /// mmHg
    public var systolic: Int?
    /// mmHg
    public var diastolic: Int?
    /// Beats per minute.
    public var heartRate: Int?
    /// Height, gender, age and weight as the watch was told.
    public var wearer: [String]

    public init(
        keyword: String = "bphrt", systolic: Int?, diastolic: Int?, heartRate: Int? = nil, wearer: [String] = []
    ) {
        self.keyword = keyword
        self.systolic = systolic
        self.diastolic = diastolic
        self.heartRate = heartRate
        self.wearer = wearer
    }

    init?(parsing input: inout WatchFieldReader) {
        guard !input.isAtEnd else { return nil }
        keyword = input.keyword
        systolic = input.int("systolic")
        diastolic = input.int("diastolic")
        heartRate = input.int("heart rate")
        wearer = input.texts("wearer")
    }

    func write(to output: inout WatchContentWriter) {
        output.field(systolic)
        output.field(diastolic)
        if heartRate != nil || !wearer.isEmpty { output.field(heartRate) }
        output.fields(wearer)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("systolic", systolic)
        object.set("diastolic", diastolic)
        object.set("heartRate", heartRate)
        return object
    }
}

/// PULSE, HEART: beats per minute, 0 for not measured. Source: section 7.
public struct WatchHeartRate: WatchBody {
    public var keyword: String
    public var heartRate: Int

    public init(keyword: String = "heart", heartRate: Int) {
        self.keyword = keyword
        self.heartRate = heartRate
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        guard let rate = input.int("heart rate"), input.isAtEnd else { return nil }
        heartRate = rate
    }

    func write(to output: inout WatchContentWriter) {
        output.field(heartRate)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("heartRate", heartRate)
        return object
    }
}

/// oxygen: type, percent. Sample: `oxygen`. Source: section 7.
public struct WatchOxygen: WatchBody {
    public var keyword: String
    public var type: Int?
    /// Percent.
    public var saturation: Int

    public init(keyword: String = "oxygen", type: Int?, saturation: Int) {
        self.keyword = keyword
        self.type = type
        self.saturation = saturation
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        type = input.int("type")
        guard let saturation = input.int("saturation"), input.isAtEnd else { return nil }
        self.saturation = saturation
    }

    func write(to output: inout WatchContentWriter) {
        output.field(type)
        output.field(saturation)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", type)
        object.set("spo2", saturation)
        return object
    }
}

/// btemp2: type, degrees; TEMP: degrees alone. Sample: `temperature`. Source: section 7.
public struct WatchTemperature: WatchBody {
    public var keyword: String
    /// Of btemp2: 0 not worn or not valid, 1 valid; sources disagree.
    public var type: Int?
    /// Degrees Celsius.
    public var temperature: WatchDecimal

    public init(keyword: String = "btemp2", type: Int?, temperature: WatchDecimal) {
        self.keyword = keyword
        self.type = type
        self.temperature = temperature
    }

    init?(parsing input: inout WatchFieldReader) {
        keyword = input.keyword
        type = keyword.uppercased() == "TEMP" ? nil : input.int("type")
        guard let temperature = input.decimal("temperature"), input.isAtEnd else { return nil }
        self.temperature = temperature
    }

    func write(to output: inout WatchContentWriter) {
        if keyword.uppercased() != "TEMP" { output.field(type) }
        output.field(temperature)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("type", type)
        object.set("temperature", temperature.value)
        return object
    }
}
