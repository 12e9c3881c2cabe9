"""A receiver of signed webhooks that is not our code: signatures are verified by the PyPI package `standardwebhooks`.

Each request is one JSON line in the log, with receive time on both clocks, verdict, headers and body. The bound port
is printed on the first line of standard output.
"""

import argparse
import itertools
import json
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks.webhooks import Webhook


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--secret", action="append", required=True, type=Path, help="a file; any match is enough")
    parser.add_argument("--log", required=True, type=Path)
    parser.add_argument("--status", default="200", help="answers in turn, the last one for ever")
    parser.add_argument("--delay-ms", type=int, default=0)
    arguments = parser.parse_args()

    checkers = [Webhook(path.read_text().strip()) for path in arguments.secret]
    statuses = [int(status) for status in arguments.status.split(",")]
    answers = itertools.chain(statuses, itertools.repeat(statuses[-1]))
    log = open(arguments.log, "a", buffering=1, encoding="utf-8")
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self):
            monotonic, wall = time.monotonic(), datetime.now(timezone.utc).isoformat()
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            verdict = "no matching signature"
            for checker in checkers:
                try:
                    checker.verify(body, headers)
                    verdict = "verified"
                    break
                except Exception as error:
                    verdict = str(error)
            try:
                document = json.loads(body)
            except ValueError:
                document = body.hex()
            if arguments.delay_ms:
                time.sleep(arguments.delay_ms / 1000)
            with lock:
                status = next(answers) if verdict == "verified" else 401
                log.write(json.dumps({
                    "received": wall, "monotonic": monotonic, "verdict": verdict, "status": status,
                    "path": self.path, "headers": headers, "body": document}, ensure_ascii=False) + "\n")
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

    server = Server(("127.0.0.1", arguments.port), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(0)
