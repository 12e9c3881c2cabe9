public import TerminalModel
public import WireBytes

/// The phone in a header, its 6 (2011, 2013) or 10 (2019) bytes exactly as they came.
public struct JT808Phone: Sendable, Hashable {
    /// The bytes as one number, the last byte lowest.
    public let nibbles: UInt128
    /// True for the 10-byte form of 2019.
    public let isLong: Bool

    @inlinable @inline(__always)
    public init(nibbles: UInt128, isLong: Bool) {
        self.nibbles = nibbles & (UInt128(1) << (isLong ? 80 : 48) - 1)
        self.isLong = isLong
    }

    public init(_ terminal: TerminalID, isLong: Bool = false) {
        self.init(nibbles: terminal.nibbles, isLong: isLong)
    }

    /// All 12 or 20 digits, in lower case where one is above 9 (section 4, quirks).
    public var text: String {
        let digits = String(nibbles, radix: 16)
        return String(repeating: "0", count: max(0, (isLong ? 20 : 12) - digits.count)) + digits
    }

    /// The identity without leading zeros, the same for both forms.
    public var terminal: TerminalID { TerminalID(nibbles: nibbles) }

    func write(to output: inout ByteWriter) {
        if isLong { output.uint32BE(UInt32(truncatingIfNeeded: nibbles >> 48)) }
        output.uint48BE(UInt64(truncatingIfNeeded: nibbles))
    }
}

/// The header of one frame, copied out of it.
///
///     2011, 2013:  id 2 | attributes 2 | phone 6 | flow id 2 | [total 2 | index 2]
///     2019:        id 2 | attributes 2 | version 1 | phone 10 | flow id 2 | [total 2 | index 2]
///
/// Source: section 4.
public struct JT808Header: Sendable, Equatable {
    /// Place of a package within its message.
    public struct Package: Sendable, Equatable {
        public var total: UInt16
        /// Counts from 1.
        public var index: UInt16

        public init(total: UInt16, index: UInt16) {
            self.total = total
            self.index = index
        }
    }

    public var messageID: UInt16
    /// The attribute word as it came: length 0-9, encryption 10-12, package 13, 2019 header 14.
    public var attributes: UInt16
    /// 1 and up in a 2019 header, 0 in an older one.
    public var protocolVersion: UInt8
    public var phone: JT808Phone
    /// The sender's message counter.
    public var flowID: UInt16
    /// Present when attribute bit 13 is set.
    public var package: Package?

    public init(
        messageID: UInt16, attributes: UInt16 = 0, protocolVersion: UInt8 = 0, phone: JT808Phone, flowID: UInt16,
        package: Package? = nil
    ) {
        self.messageID = messageID
        self.attributes = attributes
        self.protocolVersion = protocolVersion
        self.phone = phone
        self.flowID = flowID
        self.package = package
    }

    public var is2019: Bool { attributes & 0x4000 != 0 }
    /// 0 = not encrypted, 1 = RSA, others reserved.
    public var encryption: UInt8 { UInt8(attributes >> 10 & 7) }
    public var declaredBodyLength: Int { Int(attributes & 0x03FF) }
    public var message: MessageName { .number(messageID) }

    /// True for one package of several; a lone package with total 1 is a complete message (section 12.3).
    public var isPart: Bool {
        guard let package else { return false }
        return package.total != 1
    }

    /// The edition of the body, where the header or the profile tells; nil means 2011 or 2013.
    public func edition(_ profile: JT808Profile) -> JT808Edition? {
        is2019 ? .v2019 : profile.edition
    }
}

/// One frame whose check code and header length have been checked.
///
///     7E | header 12, 16, 17 or 21 | body | check 1 | 7E      (the view holds what stands between the flags, unescaped)
///
/// The body is what is really there: devices are known to declare a wrong length, which `lengthMismatch` tells.
/// Source: sections 2 to 4.
public struct JT808Frame: ~Escapable {
    /// Offsets within the run that are the same in every header.
    @usableFromInline
    enum Field {
        @inlinable static var messageID: Int { 0 }
        @inlinable static var attributes: Int { 2 }
        @inlinable static var phone2011: Int { 4 }
        @inlinable static var version2019: Int { 4 }
        @inlinable static var phone2019: Int { 5 }
    }

    /// Zero bytes after the declared body that are taken for padding (section 12.3).
    @inlinable static var maximumPaddingBytes: Int { 8 }

    /// The unescaped bytes between the flags.
    public let bytes: Span<UInt8>
    /// 12, 16, 17 or 21.
    public let headerByteCount: Int
    /// The attribute word as it came.
    public let attributes: UInt16
    @usableFromInline let bodyEnd: Int

    /// Checks the check code and the length of the header; after this no accessor fails.
    ///
    /// - Parameter bytes: the run between two flags, unescaped.
    /// - Throws: `badLength` for a run that cannot hold its header, `badIntegrity` for a wrong check code.
    @inlinable @inline(__always)
    @_lifetime(copy bytes)
    public init(checking bytes: Span<UInt8>) throws(DecodeError) {
        let count = bytes.count
        guard count >= JT808.minimumRunBytes else { throw Self.tooShort(count) }
        guard ByteScan.xor(bytes) == 0 else { throw Self.wrongCheckCode(bytes) }
        let attributes = bytes.uint16BE(at: Field.attributes)
        let size = (attributes & 0x4000 != 0 ? 17 : 12) &+ (attributes & 0x2000 != 0 ? 4 : 0)
        guard size < count else { throw Self.noRoomForHeader(bytes, size) }
        self.bytes = bytes
        self.attributes = attributes
        headerByteCount = size
        let excess = count &- 1 &- size &- Int(attributes & 0x03FF)
        bodyEnd = excess <= 0 ? count &- 1 : Self.bodyEnd(bytes, excess: excess)
    }

    /// The header, copied out.
    public var header: JT808Header {
        let flow = headerByteCount - (isPackage ? 6 : 2)
        return JT808Header(
            messageID: messageID, attributes: attributes,
            protocolVersion: is2019 ? bytes[Field.version2019] : 0, phone: phone, flowID: flowID,
            package: isPackage
                ? .init(total: bytes.uint16BE(at: flow + 2), index: bytes.uint16BE(at: flow + 4)) : nil)
    }

    @inlinable
    public var messageID: UInt16 { bytes.uint16BE(at: Field.messageID) }

    @inlinable
    public var is2019: Bool { attributes & 0x4000 != 0 }

    /// True when the header has package fields; a lone package with total 1 is a complete message.
    @inlinable
    public var isPackage: Bool { attributes & 0x2000 != 0 }

    /// 0 = not encrypted, 1 = RSA, others reserved.
    @inlinable
    public var encryption: UInt8 { UInt8(truncatingIfNeeded: attributes >> 10 & 7) }

    @inlinable @inline(__always)
    public var phone: JT808Phone {
        guard is2019 else {
            return JT808Phone(nibbles: UInt128(bytes.uint48BE(at: Field.phone2011)), isLong: false)
        }
        let high = UInt128(bytes.uint32BE(at: Field.phone2019)) << 48
        return JT808Phone(nibbles: high | UInt128(bytes.uint48BE(at: Field.phone2019 &+ 4)), isLong: true)
    }

    /// The sender's message counter.
    @inlinable @inline(__always)
    public var flowID: UInt16 { bytes.uint16BE(at: headerByteCount &- (isPackage ? 6 : 2)) }

    /// The body as it is there; zero padding behind the declared length is left out.
    @inlinable @inline(__always)
    public var body: Span<UInt8> {
        @_lifetime(copy self) get { bytes.extracting(headerByteCount..<bodyEnd) }
    }

    public var checkCode: UInt8 { bytes[bytes.count - 1] }

    /// True when the header declares another length than the body has.
    public var lengthMismatch: Bool {
        Int(attributes & 0x03FF) != bytes.count - 1 - headerByteCount
    }

    /// Where the body ends when it is longer than declared by `excess` bytes.
    @usableFromInline
    static func bodyEnd(_ bytes: Span<UInt8>, excess: Int) -> Int {
        let end = bytes.count - 1
        guard excess <= maximumPaddingBytes else { return end }
        for offset in end - excess..<end where bytes[offset] != 0 { return end }
        return end - excess
    }

    // MARK: Refusals, kept out of the way of the frames that are right

    @usableFromInline
    @inline(never)
    static func tooShort(_ count: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .jt808, field: "frame", offset: 0,
            expected: "at least \(JT808.minimumRunBytes) bytes between flags", found: "\(count)")
    }

    @usableFromInline
    @inline(never)
    static func wrongCheckCode(_ bytes: Span<UInt8>) -> DecodeError {
        let found = bytes[bytes.count - 1]
        return DecodeError(
            .badIntegrity, protocolName: .jt808, message: .number(bytes.uint16BE(at: Field.messageID)),
            field: "checkCode", offset: bytes.count, expected: Hex.number(ByteScan.xor(bytes) ^ found, digits: 2),
            found: Hex.number(found, digits: 2))
    }

    @usableFromInline
    @inline(never)
    static func noRoomForHeader(_ bytes: Span<UInt8>, _ size: Int) -> DecodeError {
        DecodeError(
            .badLength, protocolName: .jt808, message: .number(bytes.uint16BE(at: Field.messageID)), field: "header",
            offset: 1, expected: "\(size) bytes of header and a check code", found: "\(bytes.count) bytes")
    }
}
