import Testing

@testable import WireBytes

struct ValueTests {
    @Test func decimalNibblesAreToldFromOthers() {
        #expect(BCD.isDecimal(0x2603_1409_1530))
        #expect(BCD.isDecimal(0x9999_9999_9999))
        for nibble in 0..<16 {
            for digit in UInt64(0)...15 {
                #expect(BCD.isDecimal(digit << UInt64(nibble * 4)) == (digit < 10))
                #expect(
                    BCD.isDecimal(0x9999_9999_9999_9999 & ~(15 << UInt64(nibble * 4)) | digit << UInt64(nibble * 4))
                        == (digit < 10))
            }
        }
        for value in 0...99 { #expect(BCD.value(BCD.byte(value)) == value) }
    }

    @Test func hexGoesBothWays() {
        #expect(Hex.text([0x00, 0x7E, 0xFA]) == "007efa")
        #expect(Hex.bytes("00 7E:fa") == [0x00, 0x7E, 0xFA])
        #expect(Hex.bytes("007") == nil)
        #expect(Hex.bytes("0 07") == nil)
        #expect(Hex.bytes("zz") == nil)
        #expect(Hex.number(UInt16(0x200), digits: 4) == "0x0200")
        #expect(Hex.number(UInt8(0), digits: 0) == "0x0")
        #expect(Hex.number(UInt32(0xFEDC_BA98), digits: 2) == "0xfedcba98")
    }

    @Test func textGoesBothWays() {
        #expect(GBK.bytes("请回电") == [0xC7, 0xEB, 0xBB, 0xD8, 0xB5, 0xE7])
        #expect(GBK.text([0xC7, 0xEB, 0xBB, 0xD8, 0xB5, 0xE7]) == "请回电")
        #expect(GBK.text([UInt8]()) == "")
        #expect(GBK.bytes("") == [])
        #expect(GBK.text(Array("PA-100".utf8)) == "PA-100")
    }

    @Test func brokenTextIsReplacedAndTheRestKept() {
        #expect(GBK.text([0x41, 0xFF, 0x42]) == "A\u{FFFD}B")
        #expect(GBK.text([0xC7, 0xEB, 0xC7]) == "请\u{FFFD}")
        #expect(GBK.bytes("A😀B") == [0x41, 0x3F, 0x42])
        // Both converters are fresh again after a broken text.
        #expect(GBK.text([0xC7, 0xEB]) == "请")
        #expect(GBK.bytes("电") == [0xB5, 0xE7])
    }

    @Test func everyPairOfBytesIsText() {
        var bytes: [UInt8] = []
        for high in UInt8(0x80)...0xFF {
            for low in stride(from: UInt8(0), through: 0xFA, by: 5) { bytes += [high, low] }
        }
        #expect(!GBK.text(bytes).isEmpty)
    }

    @Test func checksumsAreThoseOfTheirCatalogues() {
        let digits = Array("123456789".utf8)
        #expect(CRC16.xmodem(digits.span) == 0x31C3)
        #expect(CRC16.xmodem([UInt8]().span) == 0)
        // Eight bytes at once and the rest one by one say what the definition says.
        var bytes: [UInt8] = []
        for length in 0..<70 {
            let plain = bytes.reduce(UInt16(0)) { register, byte in
                (0..<8).reduce(register ^ UInt16(byte) << 8) { sum, _ in
                    sum & 0x8000 == 0 ? sum << 1 : sum << 1 ^ 0x1021
                }
            }
            #expect(CRC16.xmodem(bytes.span) == plain, "\(length) bytes")
            bytes.append(UInt8(truncatingIfNeeded: length &* 73 &+ 0xAB))
        }
        #expect(CRC16.x25(digits.span) == 0x906E)
        #expect(CRC16.x25([UInt8]().span) == 0)
        #expect(CRC16.x25(([0x05, 0x01, 0x00, 0x01] as [UInt8]).span) == 0xD9DC)
        #expect(CRC16.xmodem(([0x7F, 0x01, 0x00] as [UInt8]).span) == 0xC708)
    }

    /// The sum four bytes at a time against the definition bit by bit, in one run and in two.
    @Test func theFastSumIsTheDefinition() {
        for count in 0...40 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ count &* 29) }
            var register: UInt16 = 0xFFFF
            for byte in bytes {
                register ^= UInt16(byte)
                for _ in 0..<8 { register = register & 1 == 1 ? register >> 1 ^ 0x8408 : register >> 1 }
            }
            #expect(CRC16.x25(bytes.span) == register ^ 0xFFFF)
            let half = CRC16.x25Register(bytes.span.extracting(0..<count / 2), after: 0xFFFF)
            #expect(CRC16.x25Register(bytes.span.extracting(count / 2..<count), after: half) == register)
        }
    }

    @Test func littleEndianIntegersGoBothWays() {
        var writer = ByteWriter()
        writer.uint16LE(0x1234)
        writer.uint32LE(0x5678_9ABC)
        #expect(writer.bytes == [0x34, 0x12, 0xBC, 0x9A, 0x78, 0x56])
        #expect(writer.bytes.span.uint16LE(at: 0) == 0x1234)
        #expect(writer.bytes.span.uint32LE(at: 2) == 0x5678_9ABC)
    }

    @Test func readsStopAtTheEnd() {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        var reader = ByteReader(bytes.span)
        #expect(reader.uint48BE() == 0x0102_0304_0506)
        #expect(reader.uint16BE() == nil)
        #expect(reader.uint32BE() == nil)
        #expect(reader.uint8() == 7)
        #expect(reader.uint8() == nil)
        #expect(reader.skip(1) == nil)
        #expect(reader.skip(-1) == nil)
        #expect(reader.skip(0) == 7..<7)
    }

    @Test func integersAreBigEndianAndStayInsideTheirSpan() async {
        let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
        #expect(bytes.span.uint16BE(at: 5) == 0x0607)
        #expect(bytes.span.uint32BE(at: 3) == 0x0405_0607)
        #expect(bytes.span.uint48BE(at: 1) == 0x0203_0405_0607)
        let part = bytes.span.extracting(2..<5)
        #expect(part.uint16BE(at: 1) == 0x0405)
        // A read across the end of the span ends the process instead of reading a neighbour.
        await #expect(processExitsWith: .failure) {
            let bytes: [UInt8] = [1, 2, 3, 4, 5, 6, 7]
            _ = bytes.span.extracting(0..<4).uint32BE(at: 1)
        }
        await #expect(processExitsWith: .failure) {
            let bytes: [UInt8] = [1, 2, 3]
            _ = bytes.span.extracting(0..<2).uint16BE(at: -1)
        }
    }

    @Test func writesAreBigEndianAndPadded() {
        var writer = ByteWriter()
        writer.uint48BE(0x0102_0304_0506)
        writer.append([9, 9, 9], padded: 2)
        writer.append([8], padded: 3, with: 0x20)
        #expect(writer.bytes == [1, 2, 3, 4, 5, 6, 9, 9, 8, 0x20, 0x20])
    }
}
