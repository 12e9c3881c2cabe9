import AlarmPipeline
import IncidentCore
import TerminalModel

/// A terminal that states the SOS level in each report while its key is held, and sends a report until it is acknowledged,
/// one after the other as JT/T 808 wants it. The network loses, delays, doubles and reorders.
final class SimulatedTerminal: @unchecked Sendable {
    private struct Report {
        var sequence: Int
        var press: Int?
        var made: Timestamp
    }

    static let resendMilliseconds: Int64 = 5000
    static let reportMilliseconds: Int64 = 10_000

    static func id(_ index: Int) -> TerminalID { TerminalID(nibbles: 0x1770_0000_000 + UInt128(index)) }

    let id: TerminalID
    private let index: Int
    private unowned let simulation: Simulation
    private var queue: [Report] = []
    private var sequence = 0
    private var held: Int?
    private var sends = 0

    init(_ index: Int, _ simulation: Simulation) {
        self.index = index
        self.simulation = simulation
        id = Self.id(index)
    }

    var isAtRest: Bool { held == nil && queue.isEmpty }

    func begin() {
        connect()
        planPress()
    }

    func connect() {
        let now = simulation.moment()
        simulation.pipeline?.ingest([
            .online(id, .tcp, peer: "127.0.0.1:5", protocolName: .jt808, at: now)
        ])
    }

    private func planPress() {
        simulation.after(simulation.random.next(5000...400_000)) { [self] in
            guard !simulation.isQuiet else { return }
            let press = simulation.ledger.pressed(id, at: simulation.time)
            held = press
            simulation.tell("\(id) presses \(press)")
            makeReport()
            planReports(press)
            simulation.after(simulation.random.next(1000...60_000)) { [self] in
                held = nil
                makeReport()
                planPress()
            }
        }
    }

    private func planReports(_ press: Int) {
        simulation.after(Self.reportMilliseconds) { [self] in
            guard held == press else { return }
            makeReport()
            planReports(press)
        }
    }

    private func makeReport() {
        sequence += 1
        queue.append(Report(sequence: sequence, press: held, made: simulation.trueWall))
        if queue.count == 1 { send() }
    }

    /// Sends the oldest report, and again until it is acknowledged.
    private func send() {
        guard let report = queue.first else { return }
        sends += 1
        let attempt = sends
        let isWeak = !simulation.isQuiet
        if !(isWeak && simulation.random.happens(5)) { arrive(report, after: simulation.random.next(10...600)) }
        if isWeak, simulation.random.happens(5) { arrive(report, after: simulation.random.next(10...5000)) }
        simulation.after(Self.resendMilliseconds) { [self] in if sends == attempt { send() } }
    }

    private func arrive(_ report: Report, after delay: Int64) {
        simulation.after(delay) { [self] in
            guard let pipeline = simulation.pipeline, simulation.isAlive(simulation.life) else { return }
            if let press = report.press { simulation.ledger.arrived(press, at: simulation.time) }
            let ticket = ReplyTicket(
                loop: UInt16(index), connection: UInt64(simulation.life), request: UInt32(report.sequence))
            pipeline.ingest([.report(inbound(report), ticket)])
        }
    }

    private func inbound(_ report: Report) -> InboundReport {
        var event = TerminalEvent(
            protocolName: .jt808, terminal: id, message: .number(0x0200), sequence: report.sequence & 0xFFFF,
            received: simulation.moment().wall, kind: .report)
        event.deviceTime = report.made
        if report.press != nil { event.alarms = [AlarmSet(AlarmKind.sos)] }
        if report.sequence % 3 != 0 {
            event.position = Position(
                valid: true, latitudeDegrees: 28.2, longitudeDegrees: 112.9 + Double(report.sequence % 9) / 1000,
                accuracyMetres: 5)
        }
        return InboundReport(
            event: event, trust: .verified, bearer: .tcp, peer: "127.0.0.1:5",
            frame: PressFrame(press: report.press, sequence: report.sequence).bytes)
    }

    /// The gateway acknowledges: what it says is a promise, whether or not the terminal hears it.
    static func answered(_ result: IngestResult, _ simulation: Simulation) {
        guard result.outcome == .stored, Int(result.ticket.connection) == simulation.life else { return }
        let terminal = simulation.terminals[Int(result.ticket.loop)]
        let sequence = Int(result.ticket.request)
        guard let report = terminal.queue.first, report.sequence == sequence else { return }
        if let press = report.press { simulation.ledger.promised(press) }
        simulation.tell("\(terminal.id) \(sequence) is acknowledged")
        if !simulation.isQuiet, simulation.random.happens(5) { return }
        let life = simulation.life
        simulation.after(simulation.random.next(5...400)) {
            guard terminal.queue.first?.sequence == sequence, simulation.life == life else { return }
            terminal.queue.removeFirst()
            terminal.send()
        }
    }
}

/// The bytes that the simulation lets a report have: whose press it is, to be found again in the evidence.
struct PressFrame {
    var press: Int?
    var sequence: Int

    var bytes: [UInt8] {
        let number = UInt32(press ?? Int(UInt32.max))
        return [UInt32(number), UInt32(sequence)].flatMap { value in
            (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
        }
    }

    /// The press of a frame; nil where no key was held.
    static func press(of bytes: some Collection<UInt8>) -> Int? {
        let number = bytes.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        return number == .max ? nil : Int(number)
    }
}
