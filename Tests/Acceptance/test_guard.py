"""Promise P7: an emergency number leaves in no writing, through no command of any protocol and no configuration.

Commands and their members come from the OpenAPI document, so that a new command is tried by itself.
"""

import itertools
import json
import os
import random
import re
import subprocess
import time
from pathlib import Path

import pytest

from ev07b_terminal import Pendant
from gt06_terminal import GT06Terminal
from jt808_terminal import SocketLine, Terminal
from site_under_test import Site, StatusError, free_port, programs
from watch_terminal import Watch

OPENAPI = json.loads((Path(__file__).resolve().parents[2] / "openapi.json").read_text(encoding="utf-8"))
CODES = ("110", "112", "119", "120", "122")
SEED = int(os.environ.get("GUARD_SEED", "7"))
TERMINALS = {"jt808": "17920000101", "gt06": "999910000000101", "ev07b": "999910000000102", "watch": "9999000103"}


def digits_of(base: int):
    return lambda text: "".join(chr(base + int(one)) if one.isdigit() else one for one in text)


SCRIPTS = {
    "ascii": lambda text: text, "full width": digits_of(0xFF10), "arabic": digits_of(0x660), "persian": digits_of(0x6F0),
    "devanagari": digits_of(0x966), "bold": digits_of(0x1D7CE),
}
SEPARATORS = ("", " ", "-", ".", "/", "\u00a0", "\u200b", "\u2013", "\u3000", "\u00ad")
PREFIXES = ("", "+86", "+86 ", "0086", "86", "0731-", "(0731)", "+86-731-", "010", "9", "0", "17909", "17951 0731")
SUFFIXES = ("", ",", "p1", ";", "#", "1")


def writings() -> list[str]:
    """Each part by itself for each code, and a seeded choice of mixtures."""
    print(f"GUARD_SEED={SEED}")
    plain = [
        prefix + SCRIPTS[script](separator.join(code)) + suffix
        for code in CODES
        for script, separator, prefix, suffix in (
            [(script, "", "", "") for script in SCRIPTS] + [("ascii", one, "", "") for one in SEPARATORS]
            + [("ascii", "", one, "") for one in PREFIXES] + [("ascii", "", "", one) for one in SUFFIXES])]
    chooser = random.Random(SEED)
    mixed = [
        chooser.choice(PREFIXES) + chooser.choice(list(SCRIPTS.values()))(chooser.choice(SEPARATORS).join(chooser.choice(CODES)))
        + chooser.choice(SUFFIXES) for _ in range(100)]
    return list(dict.fromkeys(plain + mixed))


WRITINGS = writings()


def requests(number: str):
    """Every command with every member that takes a text filled with the number; what is no text gets its least value."""
    for shape in OPENAPI["components"]["schemas"]["CommandRequest"]["oneOf"]:
        members = {name: value for name, value in shape["properties"].items() if name not in ("operator", "expires_seconds")}
        choices = {name: list(values(value, number)) for name, value in members.items()}
        for combination in itertools.product(*choices.values()):
            yield {"operator": "op-1", **dict(zip(choices, combination))}


def values(schema: dict, number: str):
    if "enum" in schema:
        yield from schema["enum"]
    elif schema["type"] == "array":
        yield [number]
    elif schema["type"] == "string":
        yield number
    elif schema["type"] == "boolean":
        yield from (False, True)
    else:
        yield schema.get("minimum", 1)


def carries(request: dict) -> bool:
    return "number" in request or bool(request.get("numbers"))


def check(directory: Path, text: str) -> str:
    """What the program says of a configuration."""
    path = directory / "site.toml"
    path.write_text('[[listener]]\nprotocol = "jt808"\ntcp = "127.0.0.1:6808"\n' + text, encoding="utf-8")
    result = subprocess.run(
        [programs() / "yidiantongd", "--config", path, "--check-config"], capture_output=True, text=True)
    return result.stdout + result.stderr


@pytest.fixture(scope="module")
def names(tmp_path_factory) -> list[str]:
    """The command texts that a model can state, as the program lists them when it finds another one."""
    said = check(tmp_path_factory.mktemp("names"), '[[model]]\nname = "m"\ncommands = { nonsense = "X#" }\n')
    found = re.search(r"commands\.nonsense: .*allowed: one of (.*)", said)
    assert found, said
    return re.findall(r'"([a-z-]+)"', found[1])


@pytest.fixture(scope="module")
def site(new_shared_site, names) -> Site:
    port = free_port()
    texts = ", ".join(f'{name} = "DO-{name.upper()},{{{placeholder(name)}}}#"' for name in names)
    site = new_shared_site(extra=f"""
[[listener]]
protocol = "auto"
tcp = "127.0.0.1:{port}"

[[model]]
name = "everything"
trust_by_id = true
commands = {{ {texts} }}
""")
    site.auto_port = port
    site.start()
    site.import_people([
        {"id": name, "name": "守卫", "terminals": terminal, "model": "everything"} for name, terminal in TERMINALS.items()])
    return site


def placeholder(name: str) -> str:
    if name == "message":
        return "text"
    if name in ("call-back", "listen-in"):
        return "number"
    if name.startswith("set-"):
        return "numbers"
    return "seconds"


@pytest.fixture(scope="module")
def connected(site):
    """One terminal of each protocol that takes commands, online."""
    jt808 = Terminal.connect(site.auto_port, "0" + TERMINALS["jt808"])
    jt808.log_in()
    gt06 = GT06Terminal.connect(site.auto_port, TERMINALS["gt06"])
    assert gt06.log_in()
    ev07b = Pendant(SocketLine(site.auto_port), TERMINALS["ev07b"])
    assert ev07b.is_acknowledged(ev07b.heartbeat())
    watch = Watch.connect(site.auto_port, TERMINALS["watch"])
    assert watch.link_keep()
    yield {"jt808": jt808, "gt06": gt06, "ev07b": ev07b, "watch": watch}
    for terminal in (jt808, ev07b, watch):
        terminal.close()
    gt06.connection.close()


def listed(site: Site, protocol: str) -> list[dict]:
    return site.api("GET", f"/v1/terminals/{TERMINALS[protocol]}/commands", query={"limit": 1000})["commands"]


@pytest.mark.parametrize("commissioned", [False, True])
@pytest.mark.parametrize("protocol", TERMINALS)
def test_no_command_carries_an_emergency_number(site, connected, protocol, commissioned):
    if commissioned:
        site.commission()
    tried = 0
    for number in WRITINGS:
        for request in requests(number):
            if not carries(request):
                continue
            tried += 1
            with pytest.raises(StatusError) as refusal:
                site.api("POST", f"/v1/terminals/{TERMINALS[protocol]}/commands", request)
            assert 400 <= refusal.value.status < 500, (number, request)
    assert tried > 4 * len(WRITINGS), tried
    names = {one["command"] for one in listed(site, protocol)}
    assert not names & {"call-back", "set-numbers"}, names


def test_a_number_that_is_none_passes(site, connected):
    """What this file tries is refused for its number alone."""
    for protocol in TERMINALS:
        for request in requests("073100000001"):
            if request["command"] == "call-back":
                assert site.api("POST", f"/v1/terminals/{TERMINALS[protocol]}/commands", request)["command"] == "call-back"


def test_a_message_is_no_command_to_a_gt06_terminal(site, connected):
    """What an operator writes can neither end the text that carries it nor stand in front of it."""
    terminal = connected["gt06"]
    site.api(
        "POST", f"/v1/terminals/{TERMINALS['gt06']}/commands",
        {"operator": "op-1", "command": "message", "text": "x#SOS,A,120#"})
    heard = []
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and not any(b"DO-MESSAGE" in one for one in heard):
        one = terminal.receive(lambda _: True, 5)
        if one:
            heard.append(one)
            terminal.send(terminal.reply(one, "OK"))
    message = next(one for one in heard if b"DO-MESSAGE" in one)
    assert b"DO-MESSAGE,xSOS,A,120#" in message, message


def test_no_command_text_of_a_model_carries_one(tmp_path, names):
    ascii_only = [number for number in WRITINGS if number.isascii()]
    models = ""
    for index, number in enumerate(ascii_only):
        text = json.dumps("DO," + number + "#")
        texts = ", ".join(f"{name} = {text}" for name in names)
        models += f'[[model]]\nname = "m{index}"\ncommands = {{ {texts} }}\n'
    faults = check(tmp_path, models)
    for index, number in enumerate(ascii_only):
        for name in names:
            assert f"model[{index}].commands.{name}" in faults or f"model.{index}.commands.{name}" in faults, (number, name, faults[:600])


def test_a_command_text_that_is_what_an_operator_writes_is_refused(tmp_path):
    for text in ("{text}#", " {text}", "#{text}"):
        assert "placeholder in front" in check(tmp_path, f'[[model]]\nname = "m"\ncommands = {{ message = "{text}" }}\n')


def test_no_card_and_no_contact_carries_one(site):
    rows = ["id,name,phone,contacts"]
    for index, number in enumerate(WRITINGS):
        cell = number.replace('"', '""')
        rows.append(f'G{index}a,某,"{cell}",')
        rows.append(f'G{index}b,某,,"女儿|{cell}"')
    report = site.api("POST", "/v1/import/people", "\n".join(rows) + "\n", "text/csv")
    refused = {fault["line"] for fault in report["faults"]}
    stored = [row for line, row in enumerate(rows, 1) if line > 1 and line not in refused]
    assert report["stored"] == 0, stored[:10]
    for number in WRITINGS[::5]:
        with pytest.raises(StatusError):
            site.api("PUT", "/v1/people/G1", {"operator": "op-1", "name": "某", "contacts": [{"name": "某", "phone": number}]})
