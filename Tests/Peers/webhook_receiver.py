#!/usr/bin/env python3
"""A receiver of signed webhooks for tests and the demo.

Signatures are verified by the PyPI package `standardwebhooks`, which shares no code with the gateway. Every request is
logged as one JSON line with the receive time and the verdict. The port is printed on standard output as soon as
requests are taken.
"""

import argparse
import datetime
import json
import signal
import ssl
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

from compressed_clock import CompressedClock

MAXIMUM_BODY_BYTES = 1_000_000

# Of a sender whose time runs faster. Signatures are about the network, and carry the kernel's time all the same.
CLOCK = CompressedClock.of_environment()


def utc(seconds):
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Receiver:
    """What all connections share: secrets, the plan of answers and the log."""

    def __init__(self, secrets, statuses, delay_ms, retry_after, log):
        self.webhooks = [Webhook(secret) for secret in secrets]
        self.statuses = statuses
        self.delay_ms = delay_ms
        self.retry_after = retry_after
        self.log = log
        self.lock = threading.Lock()
        self.count = 0

    def verdict(self, body, headers):
        error = "no secret"
        for webhook in self.webhooks:
            try:
                webhook.verify(body, headers)
                return True, None
            except WebhookVerificationError as refusal:
                error = str(refusal)
            except Exception as fault:  # a body that is no JSON, a header that is no text
                error = repr(fault)
        return False, error

    def next_status(self):
        """The n-th call gets the n-th status, further calls the last one."""
        with self.lock:
            status = self.statuses[min(self.count, len(self.statuses) - 1)]
            self.count += 1
            return status

    def write(self, entry):
        line = json.dumps(entry, ensure_ascii=False) + "\n"
        with self.lock:
            self.log.write(line)
            self.log.flush()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Head and body of the answer leave in one write.
    wbufsize = -1

    def do_POST(self):
        receiver = self.server.receiver
        received = CLOCK.time() if CLOCK else time.time()
        length = int(self.headers.get("content-length", "0"))
        if length > MAXIMUM_BODY_BYTES:
            self.answer(413)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        verified, error = receiver.verdict(body, dict(self.headers))
        status = receiver.next_status() if verified else 401
        try:
            event = json.loads(body)
        except ValueError:
            event = None
        receiver.write(
            {
                "received": utc(received),
                "verified": verified,
                "error": error,
                "status": status,
                "id": self.headers.get("webhook-id"),
                "attempt_timestamp": self.headers.get("webhook-timestamp"),
                "type": event.get("type") if isinstance(event, dict) else None,
                "path": self.path,
                "peer": "%s:%d" % self.client_address[:2],
                "bytes": length,
                "event": event,
            }
        )
        if receiver.delay_ms:
            time.sleep(receiver.delay_ms / 1000)
        self.answer(status)

    def answer(self, status):
        text = json.dumps({"status": status}).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        if status >= 300 and self.server.receiver.retry_after:
            self.send_header("retry-after", self.server.receiver.retry_after)
        self.end_headers()
        self.wfile.write(text)
        self.wfile.flush()

    def log_message(self, *arguments):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, client_address):
        """A peer that goes away is ordinary."""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", default="127.0.0.1", help="loopback address to listen on")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--secret", nargs="+", required=True, metavar="FILE", help="files with whsec_ secrets")
    parser.add_argument("--log", default="-", metavar="FILE", help="appended to; - is standard output")
    parser.add_argument("--status", default="200", help="answers in order, the last one repeats: 500,503,200")
    parser.add_argument("--delay-ms", type=int, default=0, help="wait before each answer")
    parser.add_argument("--retry-after", default="", help="header Retry-After of every answer of 300 or more")
    parser.add_argument("--tls-cert", metavar="FILE")
    parser.add_argument("--tls-key", metavar="FILE")
    return parser.parse_args()


def main():
    # A parent that is a worker thread passes on its blocked signals; this process must end when it is told to.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM, signal.SIGINT})
    options = arguments()
    secrets = []
    for name in options.secret:
        with open(name, encoding="ascii") as file:
            secrets.append(file.read().strip())
    log = sys.stdout if options.log == "-" else open(options.log, "a", encoding="utf-8")
    statuses = [int(status) for status in options.status.split(",")]
    server = Server((options.address, options.port), Handler)
    server.receiver = Receiver(secrets, statuses, options.delay_ms, options.retry_after, log)
    if options.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls_cert, options.tls_key)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    print(server.server_address[1], flush=True)
    try:
        server.serve_forever(poll_interval=0.05)
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
