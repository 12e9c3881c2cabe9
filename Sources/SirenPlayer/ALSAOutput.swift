internal import CALSA
import Glibc
import Synchronization

/// A sound card, opened by its ALSA name.
///
/// A card that is lost is opened again at every step; the volume is turned up and un-muted at each opening, since somebody
/// turns it down sooner or later. Only one thread calls it.
public final class ALSAOutput: SirenOutput {
    static let samplesPerSecond = 48_000
    /// 20 ms: the sound starts and changes within a few of these.
    static let chunkSamples = 960
    /// What lies in the card's buffer ahead of the ear.
    static let latencyMicroseconds: UInt32 = 100_000
    /// A card that takes nothing for so long counts as lost.
    static let stallMilliseconds: Int32 = 500
    static let quietStepMicroseconds: UInt32 = 20_000

    private struct State: ~Copyable {
        var device: OpaquePointer?
        var sweep = SirenSweep(samplesPerSecond: ALSAOutput.samplesPerSecond)
        var samples = [Int16](repeating: 0, count: ALSAOutput.chunkSamples)
    }

    public let name: String
    private let deviceName: String
    private let mixerName: String
    private let volume: Double
    private let state = Mutex(State())

    /// - Parameters:
    ///   - device: for example `default` or `plughw:CARD=Device`; a name, since numbers change with the order of plugging.
    ///   - mixer: the card whose controls are turned up, for example `hw:CARD=Device`; the one of `default` without it.
    ///   - volume: 0...1 of full scale.
    public init(device: String, mixer: String = "default", volume: Double = 1) {
        deviceName = device
        mixerName = mixer
        self.volume = volume
        name = "alsa \(device)"
    }

    public func step(_ sound: SirenSound?) throws(SirenOutputError) {
        try state.withLock { (state) throws(SirenOutputError) in
            guard let sound else {
                close(&state, draining: true)
                usleep(Self.quietStepMicroseconds)
                return
            }
            try play(sound, &state)
        }
    }

    public func selfTest() throws(SirenOutputError) {
        try state.withLock { (state) throws(SirenOutputError) in
            for _ in 0..<Self.samplesPerSecond / Self.chunkSamples { try play(.selfTest, &state) }
            close(&state, draining: true)
        }
    }

    public func stop() {
        state.withLock { close(&$0, draining: false) }
    }

    // MARK: - The card

    private func play(_ sound: SirenSound, _ state: inout State) throws(SirenOutputError) {
        let device = try opened(&state)
        state.sweep.fill(&state.samples, with: sound, volume: volume)
        var done = 0
        while done < Self.chunkSamples {
            let ready = snd_pcm_wait(device, Self.stallMilliseconds)
            if ready == 0 { throw lost("takes no sound", code: 0, &state) }
            if ready < 0 {
                try recover(device, Int32(ready), &state)
                continue
            }
            let rest = Self.chunkSamples - done
            let written = state.samples.withUnsafeBufferPointer { samples in
                snd_pcm_writei(device, samples.baseAddress.map { $0 + done }, snd_pcm_uframes_t(rest))
            }
            if written == -Int(EAGAIN) { continue }
            if written < 0 {
                try recover(device, Int32(written), &state)
                continue
            }
            done += written
        }
    }

    /// An underrun or a suspend is mended in place; anything else closes the card until the next step.
    private func recover(_ device: OpaquePointer, _ code: Int32, _ state: inout State) throws(SirenOutputError) {
        guard snd_pcm_recover(device, code, 1) == 0 else { throw lost("is lost", code: code, &state) }
    }

    private func opened(_ state: inout State) throws(SirenOutputError) -> OpaquePointer {
        if let device = state.device { return device }
        // Before each opening, since the card may be another than before.
        raiseVolume()
        var device: OpaquePointer?
        let code = snd_pcm_open(&device, deviceName, SND_PCM_STREAM_PLAYBACK, Int32(SND_PCM_NONBLOCK))
        guard code == 0, let device else { throw lost("cannot be opened", code: code, &state) }
        state.device = device
        let set = snd_pcm_set_params(
            device, SND_PCM_FORMAT_S16_LE, SND_PCM_ACCESS_RW_INTERLEAVED, 1, UInt32(Self.samplesPerSecond), 1,
            Self.latencyMicroseconds)
        guard set == 0 else {
            throw lost("does not take 16-bit sound at \(Self.samplesPerSecond) Hz", code: set, &state)
        }
        return device
    }

    private func close(_ state: inout State, draining: Bool) {
        guard let device = state.device else { return }
        // What is in the buffer is a tenth of a second of siren: cutting it off is what whoever acknowledged wants.
        if draining { snd_pcm_drop(device) }
        snd_pcm_close(device)
        state.device = nil
    }

    private func lost(_ what: String, code: Int32, _ state: inout State) -> SirenOutputError {
        close(&state, draining: false)
        let why = code == 0 ? "" : ": \(String(cString: snd_strerror(code)))"
        return SirenOutputError("sound device \"\(deviceName)\" \(what)\(why)")
    }

    /// Turns up and un-mutes every playback control of the card; a card without a mixer is none the worse for it.
    private func raiseVolume() {
        var mixer: OpaquePointer?
        guard snd_mixer_open(&mixer, 0) == 0, let mixer else { return }
        defer { snd_mixer_close(mixer) }
        guard snd_mixer_attach(mixer, mixerName) == 0, snd_mixer_selem_register(mixer, nil, nil) == 0,
            snd_mixer_load(mixer) == 0
        else { return }
        var element = snd_mixer_first_elem(mixer)
        while let control = element {
            if snd_mixer_selem_has_playback_volume(control) != 0 {
                var lowest = 0
                var highest = 0
                snd_mixer_selem_get_playback_volume_range(control, &lowest, &highest)
                snd_mixer_selem_set_playback_volume_all(control, highest)
            }
            if snd_mixer_selem_has_playback_switch(control) != 0 {
                snd_mixer_selem_set_playback_switch_all(control, 1)
            }
            element = snd_mixer_elem_next(control)
        }
    }
}
