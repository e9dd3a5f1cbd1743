"""Which side a client is on: a stable bucket, and a boundary that only moves one way.

A client's bucket is a hash of the journey and the client's key, so it is the same after a restart and on every
replica. The new side takes the buckets below its share: raising the share moves clients to the new side and none back.
"""

from hashlib import blake2b

from gateway.core.model import BUCKETS, LEGACY, NEW, Side


def bucket_of(journey: bytes, key: bytes) -> int:
    """The bucket, 0 to 9,999, of a client in a journey."""
    person = journey if len(journey) <= 16 else blake2b(journey, digest_size=16).digest()
    return int.from_bytes(blake2b(key, digest_size=8, person=person).digest()) % BUCKETS


def choose(bucket: int, share: int) -> Side:
    """The side of a bucket while the new side takes `share` of 10,000."""
    return NEW if bucket < share else LEGACY
