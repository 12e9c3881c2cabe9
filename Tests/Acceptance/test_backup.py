"""A backup made while SOS come in is a store that a gateway starts from."""

import shutil
from pathlib import Path

from jt808_terminal import Terminal
from press_fleet import PressFleet
from site_under_test import eventually


def test_a_gateway_starts_from_a_backup(new_site):
    site = new_site()
    site.start()
    with Terminal.connect(site.port, "018070000001") as terminal:
        assert terminal.request(terminal.sos())
    before = site.wait_incident("18070000001")
    fleet = PressFleet(site.port, 50, prefix="1808")
    fleet.start()
    eventually(lambda: len(fleet.acknowledged()) > 20, 10, "twenty SOS")
    confirmed = {press.terminal for press in fleet.acknowledged()}
    copy = Path(site.api("POST", "/v1/backup", {"operator": "op-1"})["directory"])
    assert not fleet.finish(20)
    site.stop()

    restored = new_site(state=site.directory / "restored")
    shutil.copytree(copy, restored.state, dirs_exist_ok=True)
    restored.start()
    terminals = [incident["terminal"] for incident in restored.incidents()]
    assert before["id"] in {incident["id"] for incident in restored.incidents()}
    assert confirmed <= set(terminals) and len(terminals) == len(set(terminals))
    with Terminal.connect(restored.port, "018070000002") as terminal:
        assert terminal.request(terminal.sos())
