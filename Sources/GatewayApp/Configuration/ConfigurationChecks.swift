import Foundation
import HostDevices
import IncidentCore
import TOMLKit
import TerminalModel
import TerminalTLS

/// What no single key can say: names that must differ, names that must exist, files that must be readable.
struct ConfigurationChecks {
    let collector: IssueCollector

    func run(
        _ configuration: GatewayConfiguration, targets: [(String, GatewayConfiguration.Target?)],
        rosters: [(String, DutyRoster?)], policies: [(String, Policy?)], checkingFiles: Bool
    ) {
        checkDuplicates(configuration)
        checkTargetNames(targets, rosters)
        let known = Set(targets.compactMap { $0.1?.name })
        // A target that was itself refused must not make every policy that names it look wrong too.
        if targets.allSatisfy({ $0.1 != nil }), rosters.allSatisfy({ $0.1 != nil }) {
            checkPolicyTargets(policies, known: known.union(rosters.compactMap { $0.1?.name }))
            checkRosters(rosters, targets: targets.compactMap(\.1))
        }
        checkAudiences(targets)
        checkQuietHours(policies)
        checkPolicies(policies, known: known)
        if checkingFiles {
            checkFiles(targets)
            checkFiles(configuration.listeners)
            if let file = configuration.panels.keyFile { checkFile(file, keyPath: "dc09.key_file") }
        }
    }

    func checkServices(_ services: [(String, Service?)]) {
        var seen: Set<Service> = []
        for (path, service) in services {
            guard let service, !seen.insert(service).inserted else { continue }
            collector.report(
                "\(path).name", found: "\"\(service.rawValue)\" a second time", allowed: "each service once")
        }
    }

    private func checkDuplicates(_ configuration: GatewayConfiguration) {
        var addresses: Set<String> = []
        for listener in configuration.listeners
        where !addresses.insert("\(listener.transport) \(listener.address)").inserted {
            let key = listener.tls == nil ? listener.transport.rawValue : "tls"
            collector.report(
                "listener[\(listener.table)].\(key)", found: "\"\(listener.address)\" a second time",
                allowed: "each address and port once")
        }
        var sources: Set<DeviceRule.Source> = []
        var names: Set<String> = []
        for (index, line) in configuration.serialLines.enumerated() {
            if !sources.insert(line.source).inserted {
                let key = if case .path = line.source { "path" } else { "match" }
                collector.report(
                    "serial[\(index)].\(key)", found: "the line of \"\(line.name)\" a second time",
                    allowed: "each line once")
            } else if !names.insert(line.name).inserted {
                collector.report(
                    "serial[\(index)].name", found: "\"\(line.name)\" a second time", allowed: "each name once")
            }
        }
        var models: Set<String> = []
        for (index, model) in configuration.models.enumerated() where !models.insert(model.name).inserted {
            collector.report(
                "model[\(index)].name", found: "\"\(model.name)\" a second time", allowed: "each model once")
        }
    }

    private func checkTargetNames(
        _ targets: [(String, GatewayConfiguration.Target?)], _ rosters: [(String, DutyRoster?)]
    ) {
        var names: Set<String> = []
        for (path, name) in targets.map({ ($0.0, $0.1?.name) }) + rosters.map({ ($0.0, $0.1?.name) }) {
            guard let name, !names.insert(name).inserted else { continue }
            collector.report(
                "\(path).name", found: "\"\(name)\" a second time",
                allowed: "a name that no other target and no roster has")
        }
    }

    /// Somebody is always on duty, and nobody whom a guard may keep silent.
    private func checkRosters(_ rosters: [(String, DutyRoster?)], targets: [GatewayConfiguration.Target]) {
        let fit = Set(targets.filter { !$0.isEmergencyService && $0.audience == .centre }.map(\.name))
        let allowed =
            "a target that is neither an emergency service nor people's contacts: "
            + (fit.isEmpty ? "none is configured" : fit.sorted().joined(separator: ", "))
        for (path, roster) in rosters {
            guard let roster else { continue }
            if !fit.contains(roster.fallback) {
                collector.report("\(path).fallback", found: "\"\(roster.fallback)\"", allowed: allowed)
            }
            for (index, shift) in roster.shifts.enumerated() where !fit.contains(shift.target) {
                collector.report("\(path).shifts[\(index)].target", found: "\"\(shift.target)\"", allowed: allowed)
            }
        }
    }

    private func checkAudiences(_ targets: [(String, GatewayConfiguration.Target?)]) {
        for (path, target) in targets {
            guard let target, target.isEmergencyService, target.audience != .centre else { continue }
            collector.report(
                "\(path).reaches", found: "\"\(target.audience.rawValue)\" of an emergency service",
                allowed: "\"\(Audience.centre.rawValue)\", since an emergency service reaches nobody's contacts")
        }
    }

    private func checkQuietHours(_ policies: [(String, Policy?)]) {
        for (path, policy) in policies {
            guard let policy, !policy.quietHours.isEmpty else { continue }
            if policy.service.isLifeSafety {
                collector.report(
                    "\(path).quiet_hours", found: "quiet hours for \"\(policy.service.rawValue)\"",
                    allowed: "none: this service saves lives and is told at every hour")
            } else if policy.isAlwaysQuiet {
                collector.report(
                    "\(path).quiet_hours", found: "hours that together are all hours of the week",
                    allowed: "hours that leave a minute in which somebody is told")
            }
        }
    }

    private func checkPolicyTargets(_ policies: [(String, Policy?)], known: Set<String>) {
        let names = known.sorted().joined(separator: ", ")
        for (path, policy) in policies {
            for (stepIndex, step) in (policy?.steps ?? []).enumerated() {
                for (index, name) in step.targets.enumerated() where !known.contains(name) {
                    collector.report(
                        "\(path).steps[\(stepIndex)].targets[\(index)]", found: "the unknown target \"\(name)\"",
                        allowed: known.isEmpty ? "no target is configured" : names)
                }
            }
        }
    }

    private func checkPolicies(_ policies: [(String, Policy?)], known: Set<String>) {
        var seen: Set<String> = []
        for (path, policy) in policies {
            guard let policy else { continue }
            let group = policy.group.map { " for group \"\($0)\"" } ?? ""
            if !seen.insert("\(policy.service.rawValue)\n\(policy.group ?? "")").inserted {
                collector.report(
                    "\(path).service", found: "a second policy \"\(policy.service.rawValue)\"\(group)",
                    allowed: "one policy for each service and group")
            }
            for (index, step) in policy.steps.enumerated() where step.targets.isEmpty {
                collector.report(
                    "\(path).steps[\(index)].targets", found: "no target", allowed: "the names of one or more targets")
            }
            if let last = policy.steps.last, last.afterMilliseconds >= policy.repeatMilliseconds {
                collector.report(
                    "\(path).repeat_milliseconds", found: "\(policy.repeatMilliseconds)",
                    allowed: "more than the delay of the last step, which is \(last.afterMilliseconds) milliseconds")
            }
        }
        let hasEmergency = policies.contains { $0.1?.service == .emergency && $0.1?.group == nil }
        if !known.isEmpty, !hasEmergency, policies.allSatisfy({ $0.1 != nil }) {
            collector.report(
                "policy", found: "no policy with service = \"emergency\" for everybody",
                allowed: "targets need one, so that an SOS reaches somebody")
        }
    }

    private func checkFiles(_ targets: [(String, GatewayConfiguration.Target?)]) {
        for (path, target) in targets {
            guard let target else { continue }
            for (index, file) in target.secretFiles.enumerated() {
                checkFile(file, keyPath: "\(path).secret_files[\(index)]")
            }
            if let file = target.certificateAuthorityFile { checkFile(file, keyPath: "\(path).ca_file") }
        }
    }

    private func checkFiles(_ listeners: [GatewayConfiguration.Listener]) {
        for (index, listener) in listeners.enumerated() {
            guard let files = listener.tls else { continue }
            checkFile(files.certificate, keyPath: "listener[\(index)].certificate_file")
            checkFile(files.key, keyPath: "listener[\(index)].key_file")
            if let file = files.clientAuthority { checkFile(file, keyPath: "listener[\(index)].client_ca_file") }
        }
    }

    private func checkFile(_ file: String, keyPath: String) {
        guard !FileManager.default.isReadableFile(atPath: file) else { return }
        collector.report(keyPath, found: FileProblem.describe(file), allowed: "a file that the gateway may read")
    }
}

extension Policy {
    fileprivate var isAlwaysQuiet: Bool {
        !(0..<7 * DayWindow.minutesPerDay).contains { minute in
            let time = Timestamp(seconds: Int64(minute) * 60)
            return !quietHours.contains { $0.contains(time, utcOffsetMinutes: 0) }
        }
    }
}

extension GatewayConfiguration {
    static func syntaxIssue(_ error: any Error, file: String) -> ConfigurationIssue {
        guard let error = error as? TOMLParseError else {
            return ConfigurationIssue(
                file: file, line: nil, keyPath: "", found: "\(error)", allowed: "a TOML 1.0 document")
        }
        return ConfigurationIssue(
            file: file, line: error.source.begin.line, keyPath: "",
            found: "a syntax error in column \(error.source.begin.column): \(error.description)",
            allowed: "a TOML 1.0 document")
    }
}

/// Says why a file cannot be read.
enum FileProblem {
    static func describe(_ path: String) -> String {
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: path, isDirectory: &isDirectory) else {
            return "no file \"\(path)\""
        }
        if isDirectory.boolValue { return "the directory \"\(path)\"" }
        return "\"\(path)\", which user \(NSUserName()) may not read"
    }
}

/// Secrets come from files: an absolute path, or a name under the directory that systemd's `LoadCredential=` made.
enum CredentialPath {
    static func isAllowed(_ text: String) -> Bool {
        if ConfigurationFormats.isAbsolutePath(text) { return true }
        return (1...255).contains(text.utf8.count) && !text.contains("/") && text != "." && text != ".."
    }

    static func resolve(_ text: String) -> String {
        guard !text.hasPrefix("/"), let directory = ProcessInfo.processInfo.environment["CREDENTIALS_DIRECTORY"] else {
            return text
        }
        return directory + "/" + text
    }
}
