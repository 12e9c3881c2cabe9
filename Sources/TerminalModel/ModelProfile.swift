/// What the site says of all terminals of one model, in words that every protocol can read.
///
/// Each protocol makes its own profile of it. Tables are shared by all terminals of the model.
public struct ModelProfile: Sendable, Equatable {
    /// The exact name; empty for terminals of which nobody has said a model.
    public var name: String
    /// The edition of the protocol, for example 2011; nil lets the bytes tell.
    public var edition: Int?
    /// What an alarm code or alarm bit means where it is not what the protocol's own table says; nil makes it mean nothing.
    /// The numbers are those of the protocol that the model speaks.
    public var alarmCodes: [Int: AlarmKind?]
    /// False for models whose vendor items mean something else than the document says: then they raise no alarms.
    public var readsVendorAlarms: Bool

    /// How the model is asked for things where its protocol only carries texts: command name and text.
    public var commandTexts: [String: String]

    public init(
        name: String = "", edition: Int? = nil, alarmCodes: [Int: AlarmKind?] = [:], readsVendorAlarms: Bool = true,
        commandTexts: [String: String] = [:]
    ) {
        self.name = name
        self.edition = edition
        self.alarmCodes = alarmCodes
        self.readsVendorAlarms = readsVendorAlarms
        self.commandTexts = commandTexts
    }

    public static let standard = ModelProfile()
}
