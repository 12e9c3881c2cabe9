public import TerminalModel

/// The card of a person who carries a terminal: what a dispatcher or an operator must know. Source: issue of the main way and DESIGN section 1.
public struct Person: Sendable, Equatable, Codable, Identifiable {
    /// The site's own number for the person, 1 to 64 characters.
    public var id: String
    public var name: String
    /// `female`, `male` or empty.
    public var sex: String
    /// `YYYY-MM-DD` or empty.
    public var birthDate: String
    public var address: String
    /// Of the site's own choice, as its duty rosters name it.
    public var district: String?
    public var landmark: String
    public var conditions: String
    public var medicines: String
    public var bloodType: String
    public var allergies: String
    /// The number on which the person can be called back.
    public var phone: String
    public var contacts: [Contact]
    /// Policy groups, for example `living_alone`, `disabled`, `child`.
    public var groups: [String]
    public var services: [Service]
    /// The person agreed that 120 is alarmed without a human in between.
    public var consentsToAutomatic120: Bool

    public init(id: String, name: String) {
        self.id = id
        self.name = name
        self.sex = ""
        self.birthDate = ""
        self.address = ""
        self.landmark = ""
        self.conditions = ""
        self.medicines = ""
        self.bloodType = ""
        self.allergies = ""
        self.phone = ""
        self.contacts = []
        self.groups = []
        self.services = []
        self.consentsToAutomatic120 = false
    }
}

/// Somebody to be told about a person.
public struct Contact: Sendable, Equatable, Codable {
    public var name: String
    public var phone: String
    public var relation: String
    /// May ask where the person is and is told about fences.
    public var isGuardian: Bool

    public init(name: String, phone: String, relation: String = "", isGuardian: Bool = false) {
        self.name = name
        self.phone = phone
        self.relation = relation
        self.isGuardian = isGuardian
    }
}

/// Which person a terminal belongs to and how it is to be read.
public struct TerminalAssignment: Sendable, Equatable, Codable {
    public var terminal: TerminalID
    public var person: String?
    public var model: String
    public var utcOffsetMinutes: Int
    /// The site accepts this terminal by its id alone.
    public var trustedByID: Bool

    public init(
        terminal: TerminalID, person: String?, model: String = "", utcOffsetMinutes: Int = 480,
        trustedByID: Bool = false
    ) {
        self.terminal = terminal
        self.person = person
        self.model = model
        self.utcOffsetMinutes = utcOffsetMinutes
        self.trustedByID = trustedByID
    }
}
