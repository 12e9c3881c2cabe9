/// How long terminals may say nothing before somebody must look, by model: a panel that polls each minute and a watch that
/// speaks once an hour are missed after different times.
public struct SilenceLimits: Sendable, Equatable {
    /// 1...2,592,000 s for models without a limit of their own; nil: they are not watched.
    public var seconds: Int?
    /// By the exact name of the model, 1...2,592,000 s; 0: it is not watched.
    public var models: [String: Int]

    public init(seconds: Int? = nil, models: [String: Int] = [:]) {
        self.seconds = seconds
        self.models = models
    }

    /// Nobody is watched.
    public var isOff: Bool { seconds == nil && models.values.allSatisfy { $0 == 0 } }

    /// The shortest of all, seconds; nil: nobody is watched.
    public var shortest: Int? { ([seconds ?? 0] + models.values).filter { $0 > 0 }.min() }
}
