public import CWireBytes

/// Searches and sums over wire bytes that are worth more than a loop.
///
/// This file, `CRC16.swift` and `GBK.swift` are the only places of the project that hand a span's memory to C.
public enum ByteScan {
    /// Finds the first `stop` byte at or after `from` and the first `mark` byte between `from` and it.
    ///
    /// - Returns: `end`, the offset of `stop` or the count when it is absent; `mark`, the offset of the first `mark`
    ///   byte before `end`, or `end` when there is none.
    @inlinable @inline(__always)
    public static func find(
        _ stop: UInt8, marking mark: UInt8, in bytes: Span<UInt8>, from: Int
    ) -> (end: Int, mark: Int) {
        precondition(from >= 0 && from <= bytes.count)
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return (0, 0) }
            let found = unsafe cwb_scan(base, buffer.count, from, stop, mark)
            return (found.end, found.mark)
        }
    }

    /// The same result by the form for processors without SSE2; tests run both on every machine.
    public static func findPortably(
        _ stop: UInt8, marking mark: UInt8, in bytes: Span<UInt8>, from: Int
    ) -> (end: Int, mark: Int) {
        precondition(from >= 0 && from <= bytes.count)
        return unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return (0, 0) }
            let found = unsafe cwb_scan_portable(base, buffer.count, from, stop, mark)
            return (found.end, found.mark)
        }
    }

    /// XOR of all bytes; 0 for none.
    @inlinable @inline(__always)
    public static func xor(_ bytes: Span<UInt8>) -> UInt8 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe cwb_xor(base, buffer.count)
        }
    }

    /// The same sum by the form for processors without SSE2.
    public static func xorPortably(_ bytes: Span<UInt8>) -> UInt8 {
        unsafe bytes.withUnsafeBufferPointer { buffer in
            guard let base = buffer.baseAddress else { return 0 }
            return unsafe cwb_xor_portable(base, buffer.count)
        }
    }

    /// Copies `bytes` into `output`, replacing 7D 01 by 7D and 7D 02 by 7E.
    ///
    /// - Parameters:
    ///   - firstEscape: the offset of the first 7D, as `find` reported it.
    ///   - output: at least as long as `bytes`; no longer than `bytes` is ever written.
    /// - Returns: the length written, or `-1 - offset` of a 7D that is followed by neither.
    @inlinable
    public static func unescape7D(
        _ bytes: Span<UInt8>, firstEscape: Int, into output: inout MutableSpan<UInt8>
    ) -> Int {
        precondition(output.count >= bytes.count && firstEscape >= 0 && firstEscape <= bytes.count)
        return unsafe output.withUnsafeMutableBufferPointer { target in
            unsafe bytes.withUnsafeBufferPointer { source in
                guard let from = source.baseAddress, let to = target.baseAddress else { return 0 }
                return unsafe cwb_unescape_7d(from, source.count, firstEscape, to)
            }
        }
    }
}
