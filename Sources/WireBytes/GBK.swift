private import CWireBytes

/// Text in GBK, the encoding of JT/T 808 and its relatives, through iconv(3).
///
/// Neither direction fails: what cannot be expressed becomes U+FFFD on the way in and `?` on the way out.
public enum GBK {
    public static func text(_ bytes: Span<UInt8>) -> String {
        guard !bytes.isEmpty else { return "" }
        let capacity = bytes.count * 3 + 4
        return unsafe String(unsafeUninitializedCapacity: capacity) { output in
            unsafe bytes.withUnsafeBufferPointer { input in
                guard let from = input.baseAddress, let to = output.baseAddress else { return 0 }
                return unsafe cwb_gbk_to_utf8(from, input.count, to, capacity)
            }
        }
    }

    public static func text(_ bytes: [UInt8]) -> String {
        text(bytes.span)
    }

    public static func bytes(_ text: String) -> [UInt8] {
        let utf8 = Array(text.utf8)
        guard !utf8.isEmpty else { return [] }
        if utf8.allSatisfy({ $0 < 0x80 }) { return utf8 }
        let capacity = utf8.count * 3 + 4
        return unsafe [UInt8](unsafeUninitializedCapacity: capacity) { output, count in
            unsafe utf8.withUnsafeBufferPointer { input in
                guard let from = input.baseAddress, let to = output.baseAddress else { return }
                count = unsafe cwb_utf8_to_gbk(from, input.count, to, capacity)
            }
        }
    }
}
