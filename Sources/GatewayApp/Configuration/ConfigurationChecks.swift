import Foundation
import IncidentCore
import TOMLKit
import TerminalTLS

/// What no single key can say: names that must differ, names that must exist, files that must be readable.
struct ConfigurationChecks {
    let collector: IssueCollector

    func run(
        _ configuration: GatewayConfiguration, targets: [(String, GatewayConfiguration.Target?)],
        policies: [(String, Policy?)], checkingFiles: Bool
    ) {
        checkDuplicates(configuration)
        checkTargetNames(targets)
        let known = Set(targets.compactMap { $0.1?.name })
        // A target that was itself refused must not make every policy that names it look wrong too.
        if targets.allSatisfy({ $0.1 != nil }) { checkPolicyTargets(policies, known: known) }
        checkPolicies(policies, known: known)
        if checkingFiles {
            checkFiles(targets)
            checkFiles(configuration.listeners)
            if let file = configuration.panels.keyFile { checkFile(file, keyPath: "dc09.key_file") }
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
        var paths: Set<String> = []
        for (index, line) in configuration.serialLines.enumerated() where !paths.insert(line.path).inserted {
            collector.report(
                "serial[\(index)].path", found: "\"\(line.path)\" a second time", allowed: "each line once")
        }
        var models: Set<String> = []
        for (index, model) in configuration.models.enumerated() where !models.insert(model.name).inserted {
            collector.report(
                "model[\(index)].name", found: "\"\(model.name)\" a second time", allowed: "each model once")
        }
    }

    private func checkTargetNames(_ targets: [(String, GatewayConfiguration.Target?)]) {
        var names: Set<String> = []
        for (path, target) in targets {
            guard let target, !names.insert(target.name).inserted else { continue }
            collector.report(
                "\(path).name", found: "\"\(target.name)\" a second time", allowed: "a name that no other target has")
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
