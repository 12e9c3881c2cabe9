/// The bytes of one frame, borrowed while it is handled.
struct FrameOrigin: ~Escapable {
    /// The frame as it came from the wire.
    let wire: Span<UInt8>
    /// The part that a repetition of the frame has in common with it, unescaped where the protocol escapes.
    let checked: Span<UInt8>
    /// Stands before and behind the frame on the wire where `wire` is without it.
    let marker: UInt8?

    @_lifetime(copy wire, copy checked)
    init(wire: Span<UInt8>, checked: Span<UInt8>, marker: UInt8? = nil) {
        self.wire = wire
        self.checked = checked
        self.marker = marker
    }

    /// For protocols that do not escape and whose repetitions are equal to the byte.
    @_lifetime(copy wire)
    init(wire: Span<UInt8>) {
        self.init(wire: wire, checked: wire)
    }

    /// The whole frame, as evidence.
    var frame: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(wire.count + 2)
        if let marker { bytes.append(marker) }
        for index in 0..<wire.count { bytes.append(wire[index]) }
        if let marker { bytes.append(marker) }
        return bytes
    }

    /// FNV-1a over the checked bytes: equal for a retransmission, different for anything else.
    var hash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<checked.count {
            hash = (hash ^ UInt64(checked[index])) &* 0x100_0000_01B3
        }
        return hash
    }
}
