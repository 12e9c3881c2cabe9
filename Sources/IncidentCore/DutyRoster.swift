public import TerminalModel

/// Which target is on duty for a district at an hour. It stands in a policy's step by its name, like a target.
public struct DutyRoster: Sendable, Equatable {
    public var name: String
    /// The first that fits is on duty.
    public var shifts: [Shift]
    /// On duty whenever no shift fits; always there.
    public var fallback: String

    public struct Shift: Sendable, Equatable {
        public var target: String
        /// Empty: every district, and people without one.
        public var districts: Set<String>
        /// nil: always.
        public var hours: DayWindow?

        public init(target: String, districts: Set<String> = [], hours: DayWindow? = nil) {
            self.target = target
            self.districts = districts
            self.hours = hours
        }
    }

    public init(name: String, shifts: [Shift], fallback: String) {
        self.name = name
        self.shifts = shifts
        self.fallback = fallback
    }

    /// The target on duty; nil for the district of nobody known.
    public func target(district: String?, at time: Timestamp, utcOffsetMinutes: Int) -> String {
        let shift = shifts.first { shift in
            let fitsPlace = shift.districts.isEmpty || district.map(shift.districts.contains) ?? false
            return fitsPlace && shift.hours?.contains(time, utcOffsetMinutes: utcOffsetMinutes) ?? true
        }
        return shift?.target ?? fallback
    }
}

/// Whom a target reaches.
public enum Audience: String, Sendable, Codable, CaseIterable {
    /// People on duty, at the target itself.
    case centre
    /// The contacts on the person's card, by their telephone numbers.
    case contacts
    /// Those of them who are guardians.
    case guardians

    /// The word for one of them in a sentence.
    var one: String {
        switch self {
        case .centre: "centre"
        case .contacts: "contact"
        case .guardians: "guardian"
        }
    }
}

extension Person {
    /// Whom a target of this audience is to reach, with numbers that passed the dial guard; no contact's number is ever an
    /// emergency number, also on a commissioned site (promise P7).
    public func recipients(_ audience: Audience) -> [Contact] {
        guard audience != .centre else { return [] }
        let guarded = DialGuard()
        return contacts.compactMap { contact in
            guard audience == .contacts || contact.isGuardian,
                case .allowed(let number, isEmergency: false) = guarded.examine(contact.phone)
            else { return nil }
            var contact = contact
            contact.phone = number
            return contact
        }
    }
}
