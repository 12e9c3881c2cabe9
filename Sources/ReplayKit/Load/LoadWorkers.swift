internal import Glibc

/// Spreads a load run over several processes: more connections than one process may open, more than one core.
enum LoadWorkers {
    private struct Worker {
        let process: pid_t
        let input: Int32
        var output: LineReader.Owned
    }

    /// - Parameter starting: called when all terminals of all processes are there.
    static func run(_ options: LoadOptions, tool: [String], starting: () -> Void) throws -> LoadResult {
        signal(SIGPIPE, SIG_IGN)
        var workers: [Worker] = []
        defer {
            for worker in workers {
                close(worker.input)
                var status: Int32 = 0
                waitpid(worker.process, &status, 0)
            }
        }
        for index in 0..<options.processes {
            workers.append(try start(tool + ["--worker", "\(index)/\(options.processes)"]))
        }
        for worker in workers {
            guard try worker.output.next() == "ready" else {
                throw ReplayFailure(.limit, "a worker process has failed; what it said stands above")
            }
        }
        starting()
        let start = MonotonicClock.nanoseconds + 100_000_000
        for worker in workers { StandardStreams.write("start \(start)\n", to: worker.input) }
        var total = LoadResult()
        for worker in workers {
            var result = LoadResult()
            while let line = try worker.output.next() { result.read(line: line) }
            total.add(result)
        }
        return total
    }

    private static func start(_ arguments: [String]) throws -> Worker {
        var toWorker: [Int32] = [-1, -1]
        var fromWorker: [Int32] = [-1, -1]
        guard pipe(&toWorker) == 0, pipe(&fromWorker) == 0 else {
            throw ReplayFailure(.limit, "pipe: \(String(cString: strerror(errno)))")
        }
        for end in toWorker + fromWorker { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, toWorker[0], STDIN_FILENO)
        posix_spawn_file_actions_adddup2(&actions, fromWorker[1], STDOUT_FILENO)
        var words: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let result = posix_spawn(&process, arguments.first ?? "", &actions, nil, &words, environ)
        close(toWorker[0])
        close(fromWorker[1])
        guard result == 0 else {
            close(toWorker[1])
            close(fromWorker[0])
            throw ReplayFailure(.limit, "start a worker: \(String(cString: strerror(result)))")
        }
        return Worker(process: process, input: toWorker[1], output: LineReader.Owned(descriptor: fromWorker[0]))
    }
}
