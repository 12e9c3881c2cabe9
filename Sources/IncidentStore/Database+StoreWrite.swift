import Foundation
import GRDB
import Geofencing
import IncidentCore
import TerminalModel

extension Database {
    /// Carries out one write inside the transaction that is open.
    func apply(_ write: StoreWrite) throws {
        switch write {
        case .change(let change): try apply(change)
        case .attempt(let attempt): try apply(attempt)
        case .stopRaising(let incident):
            // Notices that a human has taken over still go out; those that raise the alarm do not.
            try run(
                """
                UPDATE outbox SET state = 'stopped' WHERE incident = ? AND state = 'pending' AND event IN (
                    SELECT id FROM events WHERE incident = ?
                        AND json_extract(notice, '$.kind') IN ('incident.opened', 'incident.updated',
                            'incident.escalated'))
                """, [incident.description, incident.description])
        case .command(let record): try apply(record)
        case .commandOutcome(let id, let outcome, let at):
            try run(
                "UPDATE commands SET state = ?, reason = ?, updated_at = ? WHERE id = ?",
                [outcome.name, outcome.reason, at.milliseconds, id])
        case .registration(let record): try apply(record)
        case .authenticated(let terminal, let digest):
            let data = Data(digest)
            try run(
                """
                UPDATE terminals SET digest_used = ?, digest_new = NULL
                WHERE terminal = ? AND (digest_used = ? OR digest_new = ?)
                """, [data, terminal.description, data, data])
        case .assignment(let assignment, let at): try apply(assignment, at: at)
        case .removeTerminal(let terminal, let at):
            try endHolding(terminal, at: at)
            for table in ["terminals", "fence_states"] {
                try run("DELETE FROM \(table) WHERE terminal = ?", [terminal.description])
            }
        case .person(let person):
            try run(
                """
                INSERT INTO people (id, name, card) VALUES (?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET name = excluded.name, card = excluded.card
                """, [person.id, person.name, try ColumnJSON.text(person)])
        case .removePerson(let id): try run("DELETE FROM people WHERE id = ?", [id])
        case .fence(let fence):
            try run(
                "INSERT OR REPLACE INTO fences (id, fence, plan) VALUES (?, ?, ?)",
                [fence.id, fence.json, Data(fence.plan.bytes)])
        case .removeFence(let id):
            try run("DELETE FROM fences WHERE id = ?", [id])
            try run("DELETE FROM fence_states WHERE fence = ?", [id])
        case .fenceState(let record):
            try run(
                "INSERT OR REPLACE INTO fence_states (terminal, fence, inside, since) VALUES (?, ?, ?, ?)",
                [record.terminal.description, record.fence, record.isInside, record.since.milliseconds])
        case .setting(let key, let value):
            if let value {
                try run("INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", [key, value])
            } else {
                try run("DELETE FROM settings WHERE key = ?", [key])
            }
        case .testWindow(let window, let person, let at): try apply(window, of: person, at: at)
        case .audit(let entry):
            try run(
                "INSERT INTO audit (at, actor, unix_user, action, detail) VALUES (?, ?, ?, ?, ?)",
                [entry.at.milliseconds, entry.actor.id, entry.actor.unixUser, entry.action, entry.detail])
        case .care(let record): try apply(record)
        case .removeCare(let before):
            try run(
                "DELETE FROM care_contacts WHERE due_at < ? AND state NOT IN ('queued', 'sent')",
                [before.milliseconds])
        }
    }

    func run(_ sql: String, _ arguments: StatementArguments) throws {
        try cachedStatement(sql: sql).execute(arguments: arguments)
    }

    private func apply(_ change: IncidentChange) throws {
        let incident = change.incident
        let id = incident.id.description
        try run(
            """
            INSERT INTO incidents (id, state, service, terminal, person, opened_at, acknowledged_at, closed_at, snapshot,
                answered_at, due_at, times_overdue)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, service = excluded.service,
                terminal = excluded.terminal, person = excluded.person, acknowledged_at = excluded.acknowledged_at,
                closed_at = excluded.closed_at, snapshot = excluded.snapshot, answered_at = excluded.answered_at,
                due_at = excluded.due_at, times_overdue = excluded.times_overdue
            """,
            [
                id, incident.state.rawValue, incident.service.rawValue, incident.terminal.description,
                incident.person, incident.openedAt.milliseconds, incident.acknowledgedAt?.milliseconds,
                incident.closedAt?.milliseconds, try ColumnJSON.text(incident), incident.answeredAt?.milliseconds,
                incident.dueAt?.milliseconds, incident.timesOverdue ?? 0,
            ])
        try keepTest(of: incident)
        for entry in change.entries {
            try run(
                "INSERT INTO timeline (incident, at, kind, actor, detail) VALUES (?, ?, ?, ?, ?)",
                [id, entry.at.milliseconds, entry.kind.rawValue, entry.actor, entry.detail])
        }
        if let evidence = change.evidence {
            try run(
                """
                INSERT INTO evidence (incident, at, protocol, peer, bearer, frame, event)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    id, evidence.at.milliseconds, evidence.protocolName.rawValue, evidence.peer,
                    evidence.bearer.rawValue, Data(evidence.frame), evidence.event,
                ])
        }
        for delivery in change.deliveries where !delivery.targets.isEmpty {
            let notice = delivery.notice
            try run(
                "INSERT OR IGNORE INTO events (id, incident, notice) VALUES (?, ?, ?)",
                [notice.identifier, id, try ColumnJSON.text(notice)])
            for target in delivery.targets {
                try run(
                    """
                    INSERT OR IGNORE INTO outbox (event, target, incident, state, next_attempt_at)
                    VALUES (?, ?, ?, 'pending', ?)
                    """, [notice.identifier, target, id, notice.at.milliseconds])
            }
        }
    }

    private func apply(_ attempt: DeliveryAttempt) throws {
        // A row that a human stopped stays stopped, unless the attempt under way was accepted after all.
        try run(
            """
            UPDATE outbox SET attempts = max(attempts, ?), next_attempt_at = ?,
                state = CASE WHEN state = 'pending' OR ? = 'accepted' THEN ? ELSE state END
            WHERE event = ? AND target = ?
            """,
            [
                attempt.attempt, attempt.nextAttemptAt.milliseconds, attempt.state.rawValue, attempt.state.rawValue,
                attempt.event, attempt.target,
            ])
        try run(
            """
            UPDATE attempts SET last_attempt = ?, ended_at = ?
            WHERE id = (SELECT max(id) FROM attempts WHERE event = ? AND target = ?) AND outcome = ? AND evidence = ?
            """,
            [
                attempt.attempt, attempt.endedAt.milliseconds, attempt.event, attempt.target, attempt.outcome,
                attempt.evidence,
            ])
        guard changesCount == 0 else { return }
        try run(
            """
            INSERT INTO attempts (event, target, incident, first_attempt, last_attempt, started_at, ended_at, outcome,
                evidence)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                attempt.event, attempt.target, attempt.incident.description, attempt.attempt, attempt.attempt,
                attempt.startedAt.milliseconds, attempt.endedAt.milliseconds, attempt.outcome, attempt.evidence,
            ])
    }

    private func apply(_ record: CommandRecord) throws {
        try run(
            """
            INSERT INTO commands (id, terminal, name, arguments, incident, by, created_at, expires_at, state, reason,
                updated_at)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                record.id, record.terminal.description, record.command.name,
                try ColumnJSON.text(CommandArguments(record.command)), record.incident?.description, record.by,
                record.createdAt.milliseconds, record.expiresAt.milliseconds, record.outcome.name,
                record.outcome.reason, record.updatedAt.milliseconds,
            ])
    }

    private func apply(_ record: TerminalRegistration) throws {
        // The answer to the last registration may have been lost: a code that was never seen stays good beside the new.
        try run(
            """
            INSERT INTO terminals (terminal, protocol, maker, registered_model, serial_number, digest_new,
                registered_at)
            VALUES (?, ?, ?, ?, ?, ?, ?)
            ON CONFLICT (terminal) DO UPDATE SET protocol = excluded.protocol, maker = excluded.maker,
                registered_model = excluded.registered_model, serial_number = excluded.serial_number,
                digest_used = coalesce(digest_used, digest_new), digest_new = excluded.digest_new,
                registered_at = excluded.registered_at
            """,
            [
                record.terminal.description, record.protocolName.rawValue, record.maker, record.model,
                record.serialNumber, Data(record.codeDigest), record.at.milliseconds,
            ])
    }

    private func apply(_ assignment: TerminalAssignment, at: Timestamp) throws {
        let terminal = assignment.terminal.description
        let holder = try String.fetchOne(
            cachedStatement(sql: "SELECT person FROM holders WHERE terminal = ? AND until IS NULL"),
            arguments: [terminal])
        try run(
            """
            INSERT INTO terminals (terminal, listed, person, model, utc_offset_minutes, trusted_by_id)
            VALUES (?, 1, ?, ?, ?, ?)
            ON CONFLICT (terminal) DO UPDATE SET listed = 1, person = excluded.person, model = excluded.model,
                utc_offset_minutes = excluded.utc_offset_minutes, trusted_by_id = excluded.trusted_by_id
            """,
            [terminal, assignment.person, assignment.model, assignment.utcOffsetMinutes, assignment.trustedByID])
        guard holder != assignment.person else { return }
        try endHolding(assignment.terminal, at: at)
        if let person = assignment.person {
            try run(
                "INSERT OR REPLACE INTO holders (terminal, since, person) VALUES (?, ?, ?)",
                [terminal, at.milliseconds, person])
        }
    }

    private func endHolding(_ terminal: TerminalID, at: Timestamp) throws {
        try run(
            "UPDATE holders SET until = ? WHERE terminal = ? AND until IS NULL",
            [at.milliseconds, terminal.description])
    }
}
