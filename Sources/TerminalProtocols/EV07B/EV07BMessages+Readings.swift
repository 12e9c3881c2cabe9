public import WireBytes

// Counted and measured things with times of their own, and values that are only bytes, text or a number.

/// 30 and 31: repeated (time u32, count u32): steps and activity. Source: section 6.
public struct EV07BCounts: EV07BValue {
    public static let minimumByteCount = 8

    public struct Count: Sendable, Equatable {
        /// UTC seconds.
        public var time: UInt32
        public var value: UInt32

        public init(time: UInt32, value: UInt32) {
            self.time = time
            self.value = value
        }
    }

    public var counts: [Count]

    public init(_ counts: [Count]) {
        self.counts = counts
    }

    public init(parsing input: inout EV07BValueReader) {
        counts = []
        while input.remaining >= 8 {
            counts.append(Count(time: input.uint32("time"), value: input.uint32("count")))
        }
    }

    public func write(to output: inout ByteWriter) {
        for count in counts {
            output.uint32LE(count.time)
            output.uint32LE(count.value)
        }
    }
}

/// 40 and 41: repeated (time u32, value u8, confidence u8): heart rate in beats a minute, oxygen in percent.
/// Sample: `data-heart-rate`. Source: section 6.
public struct EV07BReadings: EV07BValue {
    public static let minimumByteCount = 6

    public struct Reading: Sendable, Equatable {
        /// UTC seconds.
        public var time: UInt32
        /// 0 and 1 are invalid.
        public var value: UInt8
        public var confidence: UInt8

        public init(time: UInt32, value: UInt8, confidence: UInt8) {
            self.time = time
            self.value = value
            self.confidence = confidence
        }

        public var isValid: Bool { value > 1 }
    }

    public var readings: [Reading]

    public init(_ readings: [Reading]) {
        self.readings = readings
    }

    public init(parsing input: inout EV07BValueReader) {
        readings = []
        while input.remaining >= 6 {
            readings.append(
                Reading(
                    time: input.uint32("time"), value: input.uint8("reading"), confidence: input.uint8("confidence")))
        }
    }

    public func write(to output: inout ByteWriter) {
        for reading in readings {
            output.uint32LE(reading.time)
            output.uint8(reading.value)
            output.uint8(reading.confidence)
        }
    }
}

/// 37: time u32 | count 31 bits, bit 31 stopped. Pets bark. Source: section 6.
public struct EV07BBarking: EV07BValue {
    public static let minimumByteCount = 8
    /// UTC seconds.
    public var time: UInt32
    public var count: UInt32
    public var hasStopped: Bool

    public init(time: UInt32, count: UInt32, hasStopped: Bool) {
        self.time = time
        self.count = count & 0x7FFF_FFFF
        self.hasStopped = hasStopped
    }

    public init(parsing input: inout EV07BValueReader) {
        time = input.uint32("time")
        let word = input.uint32("count")
        count = word & 0x7FFF_FFFF
        hasStopped = word >> 31 == 1
    }

    public func write(to output: inout ByteWriter) {
        output.uint32LE(time)
        output.uint32LE(count | (hasStopped ? 1 << 31 : 0))
    }
}

/// A value whose bytes are kept as they are.
public struct EV07BBytes: EV07BValue {
    public static let minimumByteCount = 0
    public var bytes: [UInt8]

    public init(_ bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    public init(parsing input: inout EV07BValueReader) {
        bytes = input.rest("data")
    }

    public func write(to output: inout ByteWriter) {
        output.append(bytes)
    }
}

/// A value that is ASCII or UTF-8 to its end.
public struct EV07BText: EV07BValue {
    public static let minimumByteCount = 0
    public var text: String

    public init(_ text: String) {
        self.text = text
    }

    public init(parsing input: inout EV07BValueReader) {
        text = input.restText("text")
    }

    public func write(to output: inout ByteWriter) {
        output.append(text.utf8)
    }
}

/// A number of one to four bytes; its key tells how many.
public struct EV07BNumber: EV07BValue {
    public static let minimumByteCount = 1
    public var value: UInt32
    /// 1...4
    public let byteCount: Int

    public init(_ value: UInt32, byteCount: Int) {
        self.byteCount = min(4, max(1, byteCount))
        self.value = value & UInt32(truncatingIfNeeded: (1 as UInt64) << UInt64(8 * self.byteCount) - 1)
    }

    public init(parsing input: inout EV07BValueReader) {
        byteCount = min(4, max(1, input.remaining))
        switch byteCount {
        case 1: value = UInt32(input.uint8("number"))
        case 2: value = UInt32(input.uint16("number"))
        case 3: value = input.uint24("number")
        default: value = input.uint32("number")
        }
    }

    public func write(to output: inout ByteWriter) {
        for index in 0..<byteCount { output.uint8(UInt8(truncatingIfNeeded: value >> UInt32(8 * index))) }
    }
}

/// latitude i32 | longitude i32 | text: an address that was asked for, the place of a Bluetooth station; empty as a request.
/// Source: sections 10 and 11.
public struct EV07BPlace: EV07BValue {
    public static let minimumByteCount = 0
    public var point: EV07BPoint?
    public var text: String

    public init(point: EV07BPoint? = nil, text: String = "") {
        self.point = point
        self.text = point == nil ? "" : text
    }

    public init(parsing input: inout EV07BValueReader) {
        point = input.remaining >= EV07BPoint.minimumByteCount ? EV07BPoint(parsing: &input) : nil
        text = point == nil ? "" : input.restText("text")
    }

    public func write(to output: inout ByteWriter) {
        guard let point else { return }
        point.write(to: &output)
        output.append(text.utf8)
    }
}

/// 12: [UTC seconds u32]; empty as a request. Samples: `service-time-request`, `service-time-reply`. Source: section 10.
public struct EV07BClock: EV07BValue {
    public static let minimumByteCount = 0
    public var seconds: UInt32?

    public init(seconds: UInt32? = nil) {
        self.seconds = seconds
    }

    public init(parsing input: inout EV07BValueReader) {
        seconds = input.remaining >= 4 ? input.uint32("time") : nil
    }

    public func write(to output: inout ByteWriter) {
        if let seconds { output.uint32LE(seconds) }
    }
}

/// 1F: type u8 | UTF-8. Source: section 11.
public struct EV07BSpeech: EV07BValue {
    public static let minimumByteCount = 1

    /// The document lists text before speech and gives no numbers; a pendant has no display, so that only speech is of use.
    public enum Kind {
        public static let text: UInt8 = 0
        public static let speech: UInt8 = 1
    }

    public var kind: UInt8
    public var text: String

    public init(kind: UInt8 = Kind.speech, text: String) {
        self.kind = kind
        self.text = text
    }

    public init(parsing input: inout EV07BValueReader) {
        kind = input.uint8("text type")
        text = input.restText("text")
    }

    public func write(to output: inout ByteWriter) {
        output.uint8(kind)
        output.append(text.utf8)
    }
}
