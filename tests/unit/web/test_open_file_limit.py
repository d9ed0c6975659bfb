"""Let a web process hold as many connections as the system allows, not the few it begins with."""

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


def test_the_limit_is_raised_to_the_largest_allowed() -> None:
    limits = subprocess.run([sys.executable, "-c", FEW], check=True, capture_output=True, text=True).stdout.split()
    assert len(limits) == 3
    assert len(set(limits)) == 1
