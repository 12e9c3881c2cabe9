/// The card of a person. Empty strings mean "not known".
public struct PersonCard: Sendable, Equatable, Codable {
    public var id: String
    public var name: String
    /// `female`, `male` or empty.
    public var sex: String
    /// `YYYY-MM-DD` or empty.
    public var birthDate: String
    public var address: String
    /// As the site's duty rosters name it, or empty.
    public var district: String
    public var landmark: String
    public var conditions: String
    public var medicines: String
    public var bloodType: String
    public var allergies: String
    public var phone: String
    public var contacts: [ContactCard]
    public var groups: [String]
    public var services: [String]
    /// The person agreed that 120 is alarmed without a human in between.
    public var consent120: Bool

    enum CodingKeys: String, CodingKey {
        case id, name, sex, address, district, landmark, conditions, medicines, allergies, phone, contacts, groups,
            services
        case birthDate = "birth_date"
        case bloodType = "blood_type"
        case consent120 = "consent_120"
    }

    public init(id: String, name: String) {
        self.id = id
        self.name = name
        sex = ""
        birthDate = ""
        address = ""
        district = ""
        landmark = ""
        conditions = ""
        medicines = ""
        bloodType = ""
        allergies = ""
        phone = ""
        contacts = []
        groups = []
        services = []
        consent120 = false
    }

    /// Members other than the name may be absent; a request carries the id in its path.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        func text(_ key: CodingKeys) throws -> String { try container.decodeIfPresent(String.self, forKey: key) ?? "" }
        id = try text(.id)
        name = try container.decode(String.self, forKey: .name)
        sex = try text(.sex)
        birthDate = try text(.birthDate)
        address = try text(.address)
        district = try text(.district)
        landmark = try text(.landmark)
        conditions = try text(.conditions)
        medicines = try text(.medicines)
        bloodType = try text(.bloodType)
        allergies = try text(.allergies)
        phone = try text(.phone)
        contacts = try container.decodeIfPresent([ContactCard].self, forKey: .contacts) ?? []
        groups = try container.decodeIfPresent([String].self, forKey: .groups) ?? []
        services = try container.decodeIfPresent([String].self, forKey: .services) ?? []
        consent120 = try container.decodeIfPresent(Bool.self, forKey: .consent120) ?? false
    }
}

/// Somebody to be told about a person.
public struct ContactCard: Sendable, Equatable, Codable {
    public var name: String
    public var phone: String
    public var relation: String
    public var guardian: Bool

    public init(name: String, phone: String, relation: String = "", guardian: Bool = false) {
        self.name = name
        self.phone = phone
        self.relation = relation
        self.guardian = guardian
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        phone = try container.decode(String.self, forKey: .phone)
        relation = try container.decodeIfPresent(String.self, forKey: .relation) ?? ""
        guardian = try container.decodeIfPresent(Bool.self, forKey: .guardian) ?? false
    }
}

/// People in the order of their ids.
public struct PersonPage: Sendable, Equatable, Codable {
    public var people: [PersonCard]
    /// Pass as `after` to get the rest; nil at the end.
    public var next: String?

    public init(people: [PersonCard], next: String?) {
        self.people = people
        self.next = next
    }
}
