"""Check an export of the audit log, format PLAIN (`pip install rfc8785`): python check.py audit.ndjson [LAST_HASH]

With the last hash of an earlier export, the first line has to follow it. The exit status is 1 where the chain breaks.
"""

import hashlib
import json
import sys

import rfc8785

known = sys.argv[2] if len(sys.argv) > 2 else None  # noqa: PLR2004
number, previous = 0, ""
with open(sys.argv[1], encoding="utf-8") as export:  # noqa: PTH123
    for line in export:
        entry = json.loads(line)
        own_hash = entry.pop("hash")
        if number == 0 and known is None and int(entry["number"]) > 1:
            print(f"the entries before {entry['number']} are not here: it is taken as it stands")
        elif number and int(entry["number"]) != number + 1:
            sys.exit(f"BROKEN: after entry {number} comes {entry['number']}")
        elif hashlib.sha256(((previous or known or "").encode()) + rfc8785.dumps(entry)).hexdigest() != own_hash:
            sys.exit(f"BROKEN: entry {entry['number']} is not what was sealed, or does not follow the one before it")
        number, previous = int(entry["number"]), own_hash
print(f"unbroken up to entry {number}, whose hash is {previous}")
