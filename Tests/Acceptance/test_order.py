"""No acknowledgement of an SOS is written before a sync that began after the SOS was read has returned."""

import re
import threading
from pathlib import Path

from jt808_terminal import Frame, Messages, Splitter, Terminal, acknowledges

READS = {"read", "readv", "recvfrom", "recvmsg"}
WRITES = {"write", "writev", "sendto", "sendmsg"}
SYNCS = {"fsync", "fdatasync"}
LINE = re.compile(r"^(\d+)\s+(.*)$")
HEX = re.compile(r"(?:\\x[0-9a-f]{2})+")


class Call:
    def __init__(self, name: str, text: str, entered: int, left: int):
        self.name = name
        # Strings are printed in full as \x7e\x02…
        self.data = b"".join(bytes.fromhex(run.replace("\\x", "")) for run in HEX.findall(text))
        result = re.search(r"= (-?\d+)[^=]*$", text)
        self.result = int(result[1]) if result else None
        self.entered, self.left = entered, left


def parse(trace: Path) -> list[Call]:
    """The order of the lines is the order of the events; an unfinished call is joined with its resumption."""
    calls, unfinished = [], {}
    for number, line in enumerate(trace.read_text(errors="replace").splitlines()):
        if not (match := LINE.match(line)):
            continue
        thread, text = match.groups()
        if text.endswith("<unfinished ...>"):
            unfinished[thread] = (number, text.removesuffix("<unfinished ...>"))
            continue
        entered = number
        if resumed := re.match(r"<\.\.\. \w+ resumed>(.*)$", text):
            if thread not in unfinished:
                continue
            entered, start = unfinished.pop(thread)
            text = start + resumed[1]
        if name := re.match(r"(\w+)\(", text):
            calls.append(Call(name[1], text, entered, number))
    return calls


def find_read(calls: list[Call], wire: bytes) -> Call:
    found = [call for call in calls if call.name in READS and wire in call.data]
    assert len(found) == 1, f"{len(found)} reads hold the frame {wire.hex()}"
    return found[0]


def find_write(calls: list[Call], request: Frame) -> Call:
    def holds(call: Call) -> bool:
        splitter = Splitter()
        return any(
            acknowledges(frame, request) and frame.phone == request.phone for frame in splitter.feed(call.data))

    found = [call for call in calls if call.name in WRITES and holds(call)]
    assert len(found) == 1, f"{len(found)} writes hold the acknowledgement to {request.phone}"
    return found[0]


def is_in_order(calls: list[Call], request: Frame) -> bool:
    read, write = find_read(calls, request.encode()), find_write(calls, request)
    return any(
        call.name in SYNCS and call.result == 0 and call.entered > read.left and call.left < write.entered
        for call in calls)


def test_no_acknowledgement_before_its_sync(new_site, figure):
    site = new_site()
    trace = site.directory / "trace"
    calls = ",".join(sorted(READS | WRITES | SYNCS))
    site.start(("strace", "-f", "-D", "-q", "-xx", "-s", "65536", "-e", f"trace={calls}", "-o", str(trace)), timeout=60)

    requests = []
    terminals = [Terminal.connect(site.port, f"01784{number:07d}") for number in range(24)]

    def press(terminal: Terminal):
        request = terminal.sos()
        assert terminal.request(request, 30), terminal.phone
        requests.append(request)

    # One after the other, then all at once: then they share commits.
    for terminal in terminals[:8]:
        press(terminal)
    threads = [threading.Thread(target=press, args=(terminal,)) for terminal in terminals[8:]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for terminal in terminals:
        terminal.close()
    site.stop(30)

    assert len(requests) == len(terminals)
    found = parse(trace)
    figure(f"{len(found)} calls, {sum(call.name in SYNCS for call in found)} syncs, {len(requests)} acknowledged SOS")
    early = [request.phone for request in requests if not is_in_order(found, request)]
    assert not early, f"acknowledged before a sync that began after the SOS was read had returned: {early}"


def test_the_reader_of_traces(tmp_path):
    """The check of the check, on written traces: in order, sync too early, sync not finished."""
    request = Messages("017840000001").sos(flow=7)
    body = request.flow.to_bytes(2, "big") + request.message.to_bytes(2, "big") + b"\0"
    answer = Frame(0x8001, body, request.phone, 1)

    def text(data: bytes) -> str:
        return "".join(f"\\x{byte:02x}" for byte in data)

    read = f'10    read(9, "{text(request.encode())}", 65536) = {len(request.encode())}'
    sync = "11    fdatasync(5)                      = 0"
    write = f'10    write(9, "{text(answer.encode())}", 20) = 20'
    begun, ended = "11    fdatasync(5 <unfinished ...>", "11    <... fdatasync resumed>)        = 0"
    failed = "11    fdatasync(5) = -1 EIO (Input/output error)"
    cases = {
        True: [[read, sync, write], [begun, read, ended, begun, ended, write]],
        False: [
            [sync, read, write], [read, write, sync], [begun, read, ended, write], [read, begun, write, ended],
            [read, failed, write]],
    }
    for expected, traces in cases.items():
        for lines in traces:
            path = tmp_path / "trace"
            path.write_text("\n".join(lines) + "\n")
            assert is_in_order(parse(path), request) == expected, lines
