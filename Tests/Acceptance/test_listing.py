"""Listing is complete: every page size shows everything once."""

import pytest

from jt808_terminal import Terminal
from press_fleet import PressFleet
from site_under_test import eventually

# More than two of the largest pages, so that a page has a neighbour on both sides.
INCIDENTS = 2050
PEOPLE = 2050


@pytest.fixture(scope="module")
def site(new_shared_site):
    site = new_shared_site()
    site.start()
    site.import_people([
        {"id": f"P{number:05d}", "name": f"测试{number}", "terminals": f"1811{number:07d}"} for number in range(PEOPLE)])
    fleet = PressFleet(site.port, 500, prefix="1809")
    fleet.start()
    eventually(lambda: len(fleet.presses) >= INCIDENTS, 30, "enough presses")
    assert not fleet.finish(60)
    site.pressed = sorted(press.terminal for press in fleet.presses)
    return site


def every_page(site, path: str, member: str, limit: int) -> list[dict]:
    found, query = [], {"limit": limit}
    while True:
        page = site.api("GET", path, query=query)
        assert len(page[member]) <= limit
        found += page[member]
        if not page.get("next"):
            return found
        query["after"] = page["next"]


@pytest.mark.parametrize("limit", [97, 999, 1000])
def test_incidents(site, limit):
    found = every_page(site, "/v1/incidents", "incidents", limit)
    assert sorted(incident["terminal"] for incident in found) == site.pressed


@pytest.mark.parametrize("limit", [97, 1000])
def test_people(site, limit):
    found = [person["id"] for person in every_page(site, "/v1/people", "people", limit)]
    assert found == [f"P{number:05d}" for number in range(PEOPLE)]


@pytest.mark.parametrize("limit", [97, 1000])
def test_known_terminals(site, limit):
    found = [terminal["terminal"] for terminal in every_page(site, "/v1/terminals", "terminals", limit)]
    assert len(found) == len(set(found))
    assert set(found) >= {f"1811{number:07d}" for number in range(PEOPLE)}


def test_an_unknown_terminal_that_is_connected_is_listed(site):
    with Terminal.connect(site.port, "018120000001") as terminal:
        assert terminal.request(terminal.location())
        view = site.api("GET", "/v1/terminals/18120000001")
        assert view["online"] and not view["known"]
        listed = every_page(site, "/v1/terminals", "terminals", 1000)
        assert "18120000001" in {terminal["terminal"] for terminal in listed}
