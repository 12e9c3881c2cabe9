/// Lets one thread run all the pipeline's threads by hand, turn after turn, so that a seed decides who comes first.
///
/// For the simulation alone: no product calls it.
package enum SteppedThreads {
    /// Set before the first pipeline is made and never again.
    private(set) nonisolated(unsafe) static var executor: (any TaskExecutor)?

    static var isOn: Bool { executor != nil }

    /// - Parameter executor: where attempts to reach a target run.
    package static func begin(attemptsOn executor: any TaskExecutor) { self.executor = executor }
}
