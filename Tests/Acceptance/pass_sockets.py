"""Runs a program with listening sockets as systemd passes them: pass_sockets.py NAME:FD,... PROGRAM [ARGUMENT...]"""

import os
import sys

FIRST = 3


def main():
    pairs = [pair.rsplit(":", 1) for pair in sys.argv[1].split(",")]
    # Out of the way first: a source may lie where a target has to be.
    kept = [os.dup2(int(descriptor), 100 + index) for index, (_, descriptor) in enumerate(pairs)]
    for index, descriptor in enumerate(kept):
        os.dup2(descriptor, FIRST + index, inheritable=True)
        os.close(descriptor)
    os.environ |= {
        "LISTEN_PID": str(os.getpid()), "LISTEN_FDS": str(len(pairs)),
        "LISTEN_FDNAMES": ":".join(name for name, _ in pairs)}
    os.execv(sys.argv[2], sys.argv[2:])


if __name__ == "__main__":
    main()
