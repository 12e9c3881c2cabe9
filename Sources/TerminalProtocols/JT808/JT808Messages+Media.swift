import TerminalModel
import WireBytes

/// 0x0800: media id 4 | type 1 | format 1 | event 1 | channel 1. Source: section 7.
public struct JT808MediaEvent: JT808Body {
    public var mediaID: UInt32
    /// 0 image, 1 audio, 2 video.
    public var type: UInt8
    /// 0 JPEG, 1 TIF, 2 MP3, 3 WAV, 4 WMV.
    public var format: UInt8
    /// 0 platform order, 1 timed, 2 robbery or SOS, 3 collision or rollover, 4 door opened, 5 door closed.
    public var event: UInt8
    public var channel: UInt8

    public init(mediaID: UInt32, type: UInt8, format: UInt8, event: UInt8, channel: UInt8) {
        self.mediaID = mediaID
        self.type = type
        self.format = format
        self.event = event
        self.channel = channel
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        mediaID = try input.uint32("mediaId")
        type = try input.uint8("mediaType")
        format = try input.uint8("format")
        event = try input.uint8("event")
        channel = try input.uint8("channel")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(mediaID)
        output.uint8(type)
        output.uint8(format)
        output.uint8(event)
        output.uint8(channel)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("mediaId", Int(mediaID))
        object.set("mediaType", Int(type))
        object.set("format", Int(format))
        object.set("event", Int(event))
        object.set("channel", Int(channel))
        return object
    }
}

/// 0x0801: the eight bytes of 0x0800, a basic location (2013, 2019), data. Sample: `multimedia-part-1` and `-2`.
public struct JT808Media: JT808Body {
    public var about: JT808MediaEvent
    public var location: JT808BasicLocation?
    public var data: [UInt8]

    public init(about: JT808MediaEvent, location: JT808BasicLocation?, data: [UInt8]) {
        self.about = about
        self.location = location
        self.data = data
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        about = try JT808MediaEvent(parsing: &input, edition: edition)
        // 2011 has no location here; whether the next 28 bytes are one shows in their time (section 7).
        if edition != .v2011, let basic = JT808BasicLocation(input.unread),
            edition == .v2019 || basic.time.text(zone: "") != nil
        {
            location = basic
            try input.skip(JT808BasicLocation.byteCount, "location")
        }
        data = input.rest()
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        about.write(to: &output, edition: edition)
        location?.write(to: &output)
        output.append(data)
    }

    var fields: JSONObject {
        var object = about.fields
        if let location {
            var inner = location.fields
            inner.set("items", .array([]))
            object.set("location", inner.value)
        }
        object.set("dataHex", Hex.text(data))
        return object
    }
}

/// 0x0802: flow id of the search 2 | count 2 | items of media id 4, type, channel, event 1 each, basic location 28.
public struct JT808MediaSearchReply: JT808Body {
    public struct Item: Sendable, Equatable {
        public var mediaID: UInt32
        public var type: UInt8
        public var channel: UInt8
        public var event: UInt8
        public var location: JT808BasicLocation

        public init(mediaID: UInt32, type: UInt8, channel: UInt8, event: UInt8, location: JT808BasicLocation) {
            self.mediaID = mediaID
            self.type = type
            self.channel = channel
            self.event = event
            self.location = location
        }
    }

    public var flowID: UInt16
    public var items: [Item]

    public init(flowID: UInt16, items: [Item]) {
        self.flowID = flowID
        self.items = items
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        _ = try input.uint16("count")
        items = []
        while input.remaining >= 7 + JT808BasicLocation.byteCount {
            let mediaID = try input.uint32("mediaId")
            let type = try input.uint8("mediaType")
            let channel = try input.uint8("channel")
            let event = try input.uint8("event")
            guard let location = JT808BasicLocation(input.unread) else { break }
            try input.skip(JT808BasicLocation.byteCount, "location")
            items.append(Item(mediaID: mediaID, type: type, channel: channel, event: event, location: location))
        }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        output.uint16BE(UInt16(clamping: items.count))
        for item in items {
            output.uint32BE(item.mediaID)
            output.uint8(item.type)
            output.uint8(item.channel)
            output.uint8(item.event)
            item.location.write(to: &output)
        }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set(
            "items",
            .array(
                items.map { item in
                    var entry = JSONObject()
                    entry.set("mediaId", Int(item.mediaID))
                    entry.set("mediaType", Int(item.type))
                    entry.set("channel", Int(item.channel))
                    entry.set("event", Int(item.event))
                    entry.set("location", item.location.fields.value)
                    return entry.value
                }))
        return object
    }
}

/// 0x0805: flow id of the command 2 | result 1 | (result 0) count 2 | media ids 4 each.
public struct JT808CameraReply: JT808Body {
    public var flowID: UInt16
    public var result: UInt8
    public var mediaIDs: [UInt32]

    public init(flowID: UInt16, result: UInt8, mediaIDs: [UInt32] = []) {
        self.flowID = flowID
        self.result = result
        self.mediaIDs = mediaIDs
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        flowID = try input.uint16("ackFlowId")
        result = try input.uint8("result")
        mediaIDs = []
        guard result == 0, input.remaining >= 2 else { return }
        _ = try input.uint16("count")
        while input.remaining >= 4 { mediaIDs.append(try input.uint32("mediaId")) }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint16BE(flowID)
        output.uint8(result)
        guard result == 0 else { return }
        output.uint16BE(UInt16(clamping: mediaIDs.count))
        for id in mediaIDs { output.uint32BE(id) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("ackFlowId", Int(flowID))
        object.set("result", Int(result))
        object.set("mediaIds", .array(mediaIDs.map { .int(Int($0)) }))
        return object
    }
}

/// 0x8800: media id 4; missing packages: count 1 | indexes 2 each. Sample: `multimedia-ack`. Source: section 9.
public struct JT808MediaAcknowledgement: JT808Body {
    public var mediaID: UInt32
    /// Empty when everything has arrived.
    public var missing: [UInt16]

    public init(mediaID: UInt32, missing: [UInt16] = []) {
        self.mediaID = mediaID
        self.missing = missing
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        mediaID = try input.uint32("mediaId")
        missing = []
        guard !input.isAtEnd else { return }
        let count = try input.uint8("count")
        for _ in 0..<count { missing.append(try input.uint16("index")) }
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(mediaID)
        guard !missing.isEmpty else { return }
        output.uint8(UInt8(clamping: missing.count))
        for index in missing.prefix(255) { output.uint16BE(index) }
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("mediaId", Int(mediaID))
        object.set("resend", .array(missing.map { .int(Int($0)) }))
        return object
    }
}

/// 0x8801: channel 1 | command 2 | interval 2 | save | resolution | quality | brightness | contrast | saturation | hue.
public struct JT808TakePicture: JT808Body {
    public var channel: UInt8
    /// 0 stop, FFFF video, else the number of pictures.
    public var command: UInt16
    public var intervalSeconds: UInt16
    /// Save, resolution, quality, brightness, contrast, saturation, hue.
    public var settings: [UInt8]

    public init(channel: UInt8, command: UInt16, intervalSeconds: UInt16, settings: [UInt8]) {
        self.channel = channel
        self.command = command
        self.intervalSeconds = intervalSeconds
        self.settings = Array((settings + [UInt8](repeating: 0, count: 7)).prefix(7))
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        channel = try input.uint8("channel")
        command = try input.uint16("command")
        intervalSeconds = try input.uint16("interval")
        settings = try input.bytes(7, "settings")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(channel)
        output.uint16BE(command)
        output.uint16BE(intervalSeconds)
        output.append(settings, padded: 7)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("channel", Int(channel))
        object.set("command", Int(command))
        object.set("interval", Int(intervalSeconds))
        for (name, value) in zip(
            ["save", "resolution", "quality", "brightness", "contrast", "saturation", "hue"], settings)
        {
            object.set(name, Int(value))
        }
        return object
    }
}

/// 0x8802: type 1 | channel 1 | event 1 | start BCD 6 | end BCD 6.
public struct JT808MediaSearch: JT808Body {
    public var type: UInt8
    public var channel: UInt8
    public var event: UInt8
    public var start: JT808Time
    public var end: JT808Time

    public init(type: UInt8, channel: UInt8, event: UInt8, start: JT808Time, end: JT808Time) {
        self.type = type
        self.channel = channel
        self.event = event
        self.start = start
        self.end = end
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        type = try input.uint8("mediaType")
        channel = try input.uint8("channel")
        event = try input.uint8("event")
        start = JT808Time(rawValue: try input.uint48("start"))
        end = JT808Time(rawValue: try input.uint48("end"))
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(type)
        output.uint8(channel)
        output.uint8(event)
        output.uint48BE(start.rawValue)
        output.uint48BE(end.rawValue)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("mediaType", Int(type))
        object.set("channel", Int(channel))
        object.set("event", Int(event))
        object.set("start", start.text(zone: "+08:00"))
        object.set("end", end.text(zone: "+08:00"))
        return object
    }
}

/// 0x8803: the search of 0x8802 and delete 1 (0 keep, 1 delete).
public struct JT808MediaUpload: JT808Body {
    public var search: JT808MediaSearch
    public var delete: UInt8

    public init(search: JT808MediaSearch, delete: UInt8) {
        self.search = search
        self.delete = delete
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        search = try JT808MediaSearch(parsing: &input, edition: edition)
        delete = try input.uint8("delete")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        search.write(to: &output, edition: edition)
        output.uint8(delete)
    }

    var fields: JSONObject {
        var object = search.fields
        object.set("delete", Int(delete))
        return object
    }
}

/// 0x8804: command 1 (1 start) | seconds 2 | save 1 | sampling 1.
public struct JT808Recording: JT808Body {
    public var command: UInt8
    public var seconds: UInt16
    public var save: UInt8
    public var sampling: UInt8

    public init(command: UInt8, seconds: UInt16, save: UInt8, sampling: UInt8) {
        self.command = command
        self.seconds = seconds
        self.save = save
        self.sampling = sampling
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        command = try input.uint8("command")
        seconds = try input.uint16("seconds")
        save = try input.uint8("save")
        sampling = try input.uint8("sampling")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint8(command)
        output.uint16BE(seconds)
        output.uint8(save)
        output.uint8(sampling)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("command", Int(command))
        object.set("seconds", Int(seconds))
        object.set("save", Int(save))
        object.set("sampling", Int(sampling))
        return object
    }
}

/// 0x8805: media id 4 | delete 1.
public struct JT808FetchMedia: JT808Body {
    public var mediaID: UInt32
    public var delete: UInt8

    public init(mediaID: UInt32, delete: UInt8) {
        self.mediaID = mediaID
        self.delete = delete
    }

    init(parsing input: inout FieldReader, edition: JT808Edition?) throws(DecodeError) {
        mediaID = try input.uint32("mediaId")
        delete = try input.uint8("delete")
    }

    func write(to output: inout ByteWriter, edition: JT808Edition) {
        output.uint32BE(mediaID)
        output.uint8(delete)
    }

    var fields: JSONObject {
        var object = JSONObject()
        object.set("mediaId", Int(mediaID))
        object.set("delete", Int(delete))
        return object
    }
}
