from hypothesis import given
from hypothesis import strategies as st

from gateway.core.model import BUCKETS, LEGACY, NEW
from gateway.core.splitting import bucket_of, choose

clients = st.binary(max_size=80)
journeys = st.binary(max_size=40).filter(lambda name: b"\0" not in name)
shares = st.integers(0, BUCKETS)
MANY = [b"client-%d" % number for number in range(20_000)]


def test_buckets_never_change() -> None:
    """A client's bucket is the same on every replica, after every restart, and in every later version."""
    assert bucket_of(b"repairs", b"client-1") == 8033
    assert bucket_of(b"repairs", b"") == 7766
    assert bucket_of(b"rents", b"client-1") == 4617
    assert bucket_of(b"a journey with a long name", b"client-1") == 2821
    assert bucket_of("mieten-für-alle".encode(), b"\xff\x00") == 1142


@given(journeys, clients)
def test_every_client_has_a_bucket(journey: bytes, client: bytes) -> None:
    """Whatever identifies a client, it has one bucket, 0 to 9,999."""
    bucket = bucket_of(journey, client)
    assert 0 <= bucket < BUCKETS
    assert bucket_of(journey, client) == bucket


@given(journeys, clients, shares, shares)
def test_a_rising_share_moves_no_client_back(journey: bytes, client: bytes, one: int, other: int) -> None:
    """A client already on the new side stays there as the share climbs."""
    bucket = bucket_of(journey, client)
    if choose(bucket, min(one, other)) == NEW:
        assert choose(bucket, max(one, other)) == NEW


@given(st.integers(0, BUCKETS - 1))
def test_nobody_and_everybody(bucket: int) -> None:
    """A share of nothing moves nobody, and a share of everything leaves nobody behind."""
    assert choose(bucket, 0) == LEGACY
    assert choose(bucket, BUCKETS) == NEW


def test_a_share_is_met() -> None:
    """The new side gets the share that was asked for, also where it is small."""
    buckets = [bucket_of(b"repairs", client) for client in MANY]
    for share in (100, 1_000, 5_000, 9_900):
        expected = len(MANY) * share / BUCKETS
        served = sum(choose(bucket, share) == NEW for bucket in buckets)
        assert abs(served - expected) < 4 * (expected * (1 - share / BUCKETS)) ** 0.5


def test_clients_are_spread_evenly() -> None:
    """No stretch of buckets is fuller than another (chi-square of 100 stretches: 99 is usual, 160 one in 10,000)."""
    stretches = [0] * 100
    for client in MANY:
        stretches[bucket_of(b"repairs", client) // 100] += 1
    expected = len(MANY) / len(stretches)
    assert sum((found - expected) ** 2 / expected for found in stretches) < 160


def test_journeys_are_independent() -> None:
    """The clients that go first in one journey are not those that go first in another."""
    both = sum(bucket_of(b"repairs", client) < 5_000 and bucket_of(b"rents", client) < 5_000 for client in MANY)
    assert abs(both - len(MANY) / 4) < 4 * (len(MANY) * 3 / 16) ** 0.5


def test_long_journeys_are_told_apart() -> None:
    """Journeys are told apart by their whole names, however long these are and however alike they begin."""
    ours, theirs = b"housing-repairs-list", b"housing-repairs-detail"
    assert [bucket_of(ours, client) for client in MANY[:5]] != [bucket_of(theirs, client) for client in MANY[:5]]
