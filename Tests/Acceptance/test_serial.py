"""A terminal on a serial line: a pseudo-terminal in place of the cable."""

import os
import tty

from jt808_terminal import DescriptorLine, Terminal


def test_sos_over_a_serial_line(new_site):
    master, slave = os.openpty()
    tty.setraw(slave)
    site = new_site(serial=os.ttyname(slave))
    site.start()
    with Terminal(DescriptorLine(master), "017910000001") as terminal:
        terminal.write(b"\r\nnoise\x7e\x01")
        terminal.log_in()
        assert terminal.request(terminal.location())
        assert terminal.request(terminal.sos())
        incident = site.wait_incident("17910000001")
        detail = site.incident(incident["id"])
        assert detail["evidence"][0]["bearer"] == "serial"
        assert site.receivers["care-hub"].wait_event(incident["id"], "incident.opened")["verified"]
        site.acknowledge(incident["id"])
        assert terminal.wait_for(lambda frame: frame.message == 0x8203), "no 0x8203 on the serial line"
        assert terminal.wait_for(lambda frame: frame.message == 0x8300), "no 0x8300 on the serial line"
    os.close(slave)


def test_a_line_that_comes_back(new_site, tmp_path):
    """The cable is pulled (hang-up) and plugged in again at the same path."""
    link = tmp_path / "pager"
    first_master, first_slave = os.openpty()
    tty.setraw(first_slave)
    link.symlink_to(os.ttyname(first_slave))
    site = new_site(serial=str(link))
    site.start()
    with Terminal(DescriptorLine(first_master), "017910000002") as terminal:
        assert terminal.request(terminal.heartbeat())
        os.close(first_slave)

    second_master, second_slave = os.openpty()
    tty.setraw(second_slave)
    link.unlink()
    link.symlink_to(os.ttyname(second_slave))
    with Terminal(DescriptorLine(second_master), "017910000002") as terminal:
        assert any(terminal.request(terminal.sos(), 1) for _ in range(20)), "not opened again within 20 s"
    assert site.wait_incident("17910000002")
    os.close(second_slave)
