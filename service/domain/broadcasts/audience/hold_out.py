"""Choose who is held out of broadcasts: the same people each time, and of a larger share those of a smaller one too.

Everybody has a random number of 16 binary digits that only the key of the policy, the channel and the ordinal decide.
Held out is whose number is below the share. The numbers of a block are 16 bitmaps, one for each digit, so they are
compared for all its people at once.

Source: docs/specification.md §6.6.
"""

import hashlib
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from service.entities.bitmaps import Bitmaps
from service.entities.blocks import BLOCK_BYTES

DIGITS: Final = 16
# A bitmap has 4 kB, so that is 4 MB: the blocks of 30 million people.
MAX_CACHED_BLOCKS: Final = 1_000


def held_out(people: Bitmaps, *, key: UUID, channel_id: int, percent: int) -> dict[int, int]:
    """Return who of some people are held out, about so many percent of them."""
    if not percent:
        return {}
    found = {block: bits & held_out_of_block(key, channel_id, block, percent) for block, bits in people.items()}
    return {block: bits for block, bits in found.items() if bits}


@lru_cache(MAX_CACHED_BLOCKS)
def held_out_of_block(key: UUID, channel_id: int, block: int, percent: int) -> int:
    """Return everybody in a block whose number is below a share, whether or not there is somebody."""
    share = (percent << DIGITS) // 100
    below = 0
    # From the lowest digit on: a number is below the share by a digit, or by those before where the digits are equal.
    for digit, plane in enumerate(_random_planes(key, channel_id, block)):
        below = below | plane if share >> digit & 1 else below & plane
    return below


def _random_planes(key: UUID, channel_id: int, block: int) -> list[int]:
    """Return for each digit, the lowest first, the bitmap of those whose digit is 0."""
    secret = hashlib.sha256(key.bytes + channel_id.to_bytes(8)).digest()
    stream = Cipher(algorithms.AES(secret), modes.CTR(block.to_bytes(8) + bytes(8))).encryptor()
    random = stream.update(bytes(DIGITS * BLOCK_BYTES))
    return [int.from_bytes(random[start : start + BLOCK_BYTES]) for start in range(0, len(random), BLOCK_BYTES)]
