"""Raise the number of connections of a web process to what the system allows."""

import subprocess
import sys

FEW = """
import resource
from service.web.protocols.websocket import raise_file_descriptor_limit

_, most = resource.getrlimit(resource.RLIMIT_NOFILE)
resource.setrlimit(resource.RLIMIT_NOFILE, (256, most))
raise_file_descriptor_limit()
print(*resource.getrlimit(resource.RLIMIT_NOFILE), most)
"""


def test_all_that_may_be_had_is_taken() -> None:
    told = subprocess.run([sys.executable, "-c", FEW], check=True, capture_output=True, text=True).stdout.split()
    assert len(told) == 3
    assert len(set(told)) == 1
