public import ControlAPI
public import IncidentCore
public import IncidentStore
public import TerminalModel

/// Everything that the routes need of the gateway. The pipeline answers in the daemon, a fake in tests of the routes.
///
/// Every function may throw `Problem`; what else is thrown is answered as 503.
public protocol GatewayOperations: Sendable {
    func status() async throws -> GatewayStatus
    /// Prometheus text format 0.0.4.
    func metrics() async throws -> String
    func devices() async throws -> DeviceList
    func events() async throws -> AsyncStream<ServerEvent>

    func terminals(_ query: TerminalQuery) async throws -> TerminalPage
    func terminal(_ id: TerminalID) async throws -> TerminalView?
    /// At most `limit` points with `from <= at < to`, oldest first.
    func track(_ id: TerminalID, from: Timestamp, to: Timestamp, limit: Int) async throws -> Track
    func assign(_ id: TerminalID, _ request: AssignmentRequest, by actor: Operator) async throws -> TerminalView
    /// Newest first.
    func commands(_ id: TerminalID, limit: Int) async throws -> CommandList
    func command(
        _ id: TerminalID, _ command: TerminalCommand, expiresSeconds: Int, by actor: Operator
    ) async throws -> CommandView

    func incidents(_ query: IncidentQuery) async throws -> IncidentPage
    func incident(_ id: IncidentID) async throws -> IncidentDetail?
    func act(_ action: OperatorAction, on id: IncidentID, by actor: Operator) async throws -> IncidentView

    /// In the order of their ids, after `after`.
    func people(after: String?, limit: Int) async throws -> PersonPage
    func person(_ id: String) async throws -> PersonCard?
    /// Stores all cards and assignments in one transaction.
    func store(people: [Person], assignments: [TerminalAssignment], by actor: Operator) async throws
    /// False when there was no such person.
    func deletePerson(_ id: String, by actor: Operator) async throws -> Bool

    func fences() async throws -> [FenceFeature]
    func fence(_ id: String) async throws -> FenceFeature?
    /// Says why the fence cannot be watched; nil when it can.
    func fault(of fence: FenceFeature) async -> String?
    /// Stores all fences, each of which has an id, in one transaction.
    func store(fences: [FenceFeature], by actor: Operator) async throws
    func deleteFence(_ id: String, by actor: Operator) async throws -> Bool

    /// Who would be told when, for a press at that time, now when absent; nil when there is no such person.
    func rehearse(_ service: Service, person: String, at time: Timestamp?) async throws -> PolicyTest?

    /// Announces a person's test press, or takes it back (nil minutes).
    func testPress(of person: String, minutes: Int?, by actor: Operator) async throws -> TestPressView
    /// nil when there is no such person.
    func testPress(of person: String) async throws -> TestPressView?
    /// Those never tested first, then the longest ago first.
    func testPresses(_ query: TestPressQuery) async throws -> TestPressPage

    /// The last 30 days up to now where no time is given.
    func report(from: Timestamp?, to: Timestamp?) async throws -> SupervisionReport

    /// Reminders of the last 24 hours where no time is given.
    func care(_ query: CareFilter) async throws -> CarePage

    /// Makes a consistent copy beside the databases and returns where it is.
    func backup(by actor: Operator) async throws -> BackupReport
    /// Begins a drill, or ends the one that is on (nil minutes).
    func drill(minutes: Int?, group: String?, by actor: Operator) async throws -> DrillReport
    /// Lets the siren play its tone, and waits for what it says.
    func testSiren(by actor: Operator) async throws -> SirenTestReport
    func commission(_ isCommissioned: Bool, reason: String, by actor: Operator) async throws -> CommissionReport
}

public struct TerminalQuery: Sendable, Equatable {
    public var after: TerminalID?
    public var limit = 100
    public var person: String?
    public var online: Bool?

    public init() {}
}

public struct TestPressQuery: Sendable, Equatable {
    /// Only those who are due, or only those who are not; nil: everybody.
    public var due: Bool?
    public var group: String?
    public var after: String?
    public var limit = 100

    public init() {}
}

public struct IncidentQuery: Sendable, Equatable {
    public var states: Set<IncidentState> = []
    public var service: Service?
    public var terminal: TerminalID?
    public var person: String?
    public var after: IncidentID?
    public var limit = 100

    public init() {}
}
