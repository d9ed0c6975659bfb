"""Check an export of the audit log, format PLAIN (`pip install rfc8785`): python check.py audit.ndjson [LAST_HASH]

LAST_HASH is that of an earlier export: its entry has to be in this one, or right before its first line. The exit status
is 1 where the chain breaks.
"""

import hashlib
import json
import sys

import rfc8785

known = sys.argv[2] if len(sys.argv) > 2 else None  # noqa: PLR2004
number, previous, met = None, "", known is None
with open(sys.argv[1], encoding="utf-8") as export:  # noqa: PTH123
    for line in export:
        entry = json.loads(line)
        own, own_hash = int(entry["number"]), entry.pop("hash")
        content = rfc8785.dumps(entry)
        if number is None and known and hashlib.sha256(known.encode() + content).hexdigest() == own_hash:
            met = True
        elif number is None and own > 1:
            print(f"the entries before {own} are not here: it is taken as it stands")
        elif own != (number or 0) + 1:
            sys.exit(f"BROKEN: after entry {number or 0} comes {own}")
        elif hashlib.sha256(previous.encode() + content).hexdigest() != own_hash:
            sys.exit(f"BROKEN: entry {own} is not what was sealed, or does not follow the one before it")
        number, previous, met = own, own_hash, met or own_hash == known
if number is None:
    sys.exit("there is no entry in it: nothing was checked")
if not met:
    sys.exit(f"BROKEN: no entry has the hash {known}, and the first does not follow it")
print(f"unbroken up to entry {number}, whose hash is {previous}")
