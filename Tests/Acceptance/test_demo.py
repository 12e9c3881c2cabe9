"""The README's first command, without its build."""

import subprocess
import sys
from pathlib import Path


def test_the_story_is_told_to_its_end(figure):
    result = subprocess.run(
        [sys.executable, Path(__file__).with_name("demo_story.py")], capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout + result.stderr
    figure(result.stdout.splitlines()[-1])
