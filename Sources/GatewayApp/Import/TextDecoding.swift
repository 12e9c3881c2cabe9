import Foundation
import Glibc

/// Texts as Chinese spreadsheets write them: UTF-8 with or without a byte order mark, else GB 18030 (which holds GBK).
enum TextDecoding {
    /// nil when the bytes are neither.
    static func decode(_ data: Data) -> String? {
        let mark = Data([0xEF, 0xBB, 0xBF])
        let bytes = data.starts(with: mark) ? data.dropFirst(mark.count) : data
        return String(validating: bytes, as: UTF8.self) ?? decodeGB18030(bytes)
    }

    private static func decodeGB18030(_ data: Data) -> String? {
        guard let converter = iconv_open("UTF-8", "GB18030"), Int(bitPattern: converter) != -1 else { return nil }
        defer { iconv_close(converter) }
        var input = data.map { CChar(bitPattern: $0) }
        // A two-byte character becomes at most three bytes and a four-byte one at most four.
        var output = [CChar](repeating: 0, count: input.count * 2 + 4)
        let written = input.withUnsafeMutableBufferPointer { source in
            output.withUnsafeMutableBufferPointer { target -> Int? in
                var sourcePointer = source.baseAddress
                var sourceLeft = source.count
                var targetPointer = target.baseAddress
                var targetLeft = target.count
                let result = iconv(converter, &sourcePointer, &sourceLeft, &targetPointer, &targetLeft)
                // iconv's failure is (size_t)-1, and `size_t` is an `Int` here.
                return result == -1 ? nil : target.count - targetLeft
            }
        }
        guard let written else { return nil }
        return String(decoding: output[..<written].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
