"""Sites that are cleaned up, or kept with a word where they are when a test fails; and a place for figures."""

from contextlib import ExitStack

import pytest

from full_disk import mounted
from site_under_test import Site

FIGURES: list[str] = []


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.failed:
        item.failed = True
        for site in getattr(item, "sites", []):
            report.sections.append(("site kept for a look", str(site.directory)))
    return report


def pytest_terminal_summary(terminalreporter):
    if FIGURES:
        terminalreporter.section("measured")
        for line in FIGURES:
            terminalreporter.line(line)


@pytest.fixture
def figure(request):
    """figure("...") prints a line in the summary, passed or not."""
    return lambda text: FIGURES.append(f"{request.node.name}: {text}")


@pytest.fixture
def small_file_system(tmp_path):
    """small_file_system(MEBIBYTES) mounts one and gives its directory."""
    with ExitStack() as stack:
        yield lambda mebibytes: stack.enter_context(mounted(tmp_path / "small", mebibytes))


@pytest.fixture
def new_site(request):
    """new_site(options of Site) makes a site that lives as long as the test; start it yourself."""
    request.node.sites = []

    def make(**options) -> Site:
        site = Site(**options)
        request.node.sites.append(site)
        return site

    yield make
    for site in request.node.sites:
        site.discard(keep=getattr(request.node, "failed", False))


@pytest.fixture(scope="module")
def new_shared_site(request):
    """The same for a site that all tests of a module share; kept when one of them failed."""
    sites: list[Site] = []
    failed_before = request.session.testsfailed

    def make(**options) -> Site:
        sites.append(Site(**options))
        return sites[-1]

    yield make
    failed = request.session.testsfailed > failed_before
    for site in sites:
        if failed:
            FIGURES.append(f"{request.node.name}: site kept for a look in {site.directory}")
        site.discard(keep=failed)
