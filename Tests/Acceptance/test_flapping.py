"""Queued commands for terminals that come and go, over two crashes of the gateway.

    COMMANDS=10000      how many (a multiple of 25); the default is smaller
    FLAP_SEED=7         when terminals come and go
"""

import asyncio
import os
import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from jt808_terminal import Frame, Messages, Splitter
from site_under_test import Site, eventually

PER_TERMINAL = 25
TERMINALS = max(2, int(os.environ.get("COMMANDS", "2500")) // PER_TERMINAL)
# These never come: what is asked of them expires.
ABSENT = max(1, TERMINALS // 50)
LIFETIME_SECONDS = 25
SEED = int(os.environ.get("FLAP_SEED", "7"))


class Flapper:
    """A terminal that is there for one or two seconds at a time, and is slow to answer."""

    def __init__(self, number: int):
        self.messages = Messages(f"0179300{number:05}")
        self.random = random.Random(f"{SEED} {number}")
        self.heard: list[str] = []
        self.connections = 0

    async def live(self, port: int, over: threading.Event):
        await asyncio.sleep(self.random.uniform(0, 1))
        while not over.is_set():
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                self.connections += 1
                await self.talk(reader, writer, self.random.uniform(0.5, 2))
                writer.close()
            except OSError:
                pass
            await asyncio.sleep(self.random.uniform(0.1, 1))

    async def talk(self, reader, writer, seconds: float):
        writer.write(self.messages.heartbeat().encode())
        splitter, end = Splitter(), time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                data = await asyncio.wait_for(reader.read(4096), left)
            except asyncio.TimeoutError:
                return
            if not data:
                return
            for frame in splitter.feed(data):
                if frame.message == 0x8300:
                    await self.obey(frame, writer)

    async def obey(self, frame: Frame, writer):
        self.heard.append(frame.body[1:].decode("gbk"))
        await asyncio.sleep(self.random.uniform(0.01, 0.08))
        answer = frame.flow.to_bytes(2, "big") + frame.message.to_bytes(2, "big") + b"\0"
        writer.write(self.messages.frame(0x0001, answer).encode())


@pytest.fixture
def site(new_site) -> Site:
    site = new_site(extra='[[model]]\nname = "pendant"\ntrust_by_id = true\n')
    site.start()
    return site


def commands_of(site: Site, terminal: str) -> list[dict]:
    return site.api("GET", f"/v1/terminals/{terminal}/commands", query={"limit": 100})["commands"]


def test_each_command_is_confirmed_once_or_expires(site, figure):
    flappers = [Flapper(number) for number in range(TERMINALS)]
    site.import_people([
        {"id": one.messages.terminal_id, "name": "某", "terminals": one.messages.phone, "model": "pendant"}
        for one in flappers])
    over = threading.Event()

    async def everybody():
        await asyncio.gather(*(one.live(site.port, over) for one in flappers[ABSENT:]))

    crowd = threading.Thread(target=lambda: asyncio.run(everybody()))
    crowd.start()
    try:
        began = time.monotonic()
        asked = ask_all(site, flappers)
        for share in (0.4, 0.7):
            eventually(
                lambda: sum(len(set(one.heard)) for one in flappers) >= share * len(asked), 300, f"{share} are heard", 0.1)
            site.kill()
            site.start()
        settled = eventually(lambda: outcomes(site, flappers), 300, "every command has an end", 1)
        took = time.monotonic() - began
    finally:
        over.set()
        crowd.join()
    assert {one["id"] for one in settled} == set(asked), "none is lost over the crashes"
    confirmed = {asked[one["id"]] for one in settled if one["outcome"] == "confirmed"}
    ends = {one["outcome"] for one in settled}
    assert ends == {"confirmed", "expired"}, ends
    heard = [text for one in flappers for text in one.heard]
    for one in flappers:
        wrong = [text for text in one.heard if not text.startswith(one.messages.phone + "/")]
        assert wrong == [], f"{one.messages.phone} was told what another one was asked"
    assert confirmed <= set(heard), "confirmed, and never heard"
    absent = {one.messages.terminal_id for one in flappers[:ABSENT]}
    expired = [one for one in settled if one["outcome"] == "expired"]
    assert absent == {one["terminal"] for one in expired if one["terminal"] in absent}
    assert len(confirmed) > 0.9 * len(asked), len(confirmed)
    figure(
        f"{len(asked)} commands to {TERMINALS} terminals, {sum(one.connections for one in flappers)} connections, 2 kills: "
        f"{len(confirmed)} confirmed, {len(expired)} expired, {len(heard) - len(set(heard))} heard again, in {took:.0f} s")


def ask_all(site: Site, flappers: list[Flapper]) -> dict[int, str]:
    """The text of each command by its id. One behind the other, so that each terminal's queue is never full."""
    asked = {}

    def ask(one: Flapper):
        for number in range(PER_TERMINAL):
            text = f"{one.messages.phone}/{number}"
            lifetime = LIFETIME_SECONDS if one in flappers[:ABSENT] else 600
            queued = site.api(
                "POST", f"/v1/terminals/{one.messages.terminal_id}/commands",
                {"operator": "op-1", "command": "message", "text": text, "expires_seconds": lifetime})
            asked[queued["id"]] = text

    with ThreadPoolExecutor(8) as askers:
        list(askers.map(ask, flappers))
    return asked


def outcomes(site: Site, flappers: list[Flapper]) -> list[dict] | None:
    """All commands when none is on its way any more."""
    found = []
    for one in flappers:
        found += commands_of(site, one.messages.terminal_id)
        if found[-1]["outcome"] in ("queued", "sent") or any(one["outcome"] in ("queued", "sent") for one in found[-PER_TERMINAL:]):
            return None
    return found
