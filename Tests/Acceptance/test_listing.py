"""Listing is complete: every page size shows every incident once."""

import pytest

from press_fleet import PressFleet
from site_under_test import eventually

INCIDENTS = 1100


@pytest.fixture(scope="module")
def site(new_shared_site):
    site = new_shared_site()
    site.start()
    fleet = PressFleet(site.port, 400, prefix="1809")
    fleet.start()
    eventually(lambda: len(fleet.presses) >= INCIDENTS, 30, "enough presses")
    assert not fleet.finish(30)
    site.pressed = sorted(press.terminal for press in fleet.presses)
    return site


@pytest.mark.parametrize("limit", [97, 999, 1000])
def test_all_pages_together_are_all_incidents(site, limit):
    assert sorted(incident["terminal"] for incident in site.incidents(limit=limit)) == site.pressed


def test_terminals_are_listed_in_full(site):
    found, query = [], {"limit": 1000}
    while True:
        page = site.api("GET", "/v1/terminals", query=query)
        found += [terminal["terminal"] for terminal in page["terminals"]]
        if not page.get("next"):
            break
        query["after"] = page["next"]
    assert sorted(found) == site.pressed
