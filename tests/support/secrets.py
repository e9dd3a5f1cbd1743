"""Personal data that nobody has: numbers, addresses and names of every kind, each one different from all others."""

from collections.abc import Callable, Iterator
from itertools import product
from random import Random

FIRST = (
    "Orlaith",
    "Quentin",
    "Isolde",
    "Thaddeus",
    "Xanthe",
    "Barnaby",
    "Philippa",
    "Cosmo",
    "Ottoline",
    "Peregrine",
    "Saoirse",
    "Ludovic",
)
LAST = (
    "Quennell",
    "Abernathy",
    "Featherstone",
    "Pocklington",
    "Szymanski",
    "Trevelyan",
    "Ravenscroft",
    "Okonkwo",
    "Llewellyn",
    "Dalgliesh",
)
LETTERS = "ABCEGHJKLMNPRSTWXYZ"


def _digits(chance: Random, count: int) -> str:
    return "".join(chance.choices("0123456789", k=count))


def _insurance(chance: Random) -> str:
    one, two, three = (_digits(chance, 2) for _ in range(3))
    prefix, suffix = "".join(chance.choices(LETTERS, k=2)), chance.choice("ABCD")
    return chance.choice((f"{prefix}{one}{two}{three}{suffix}", f"{prefix} {one} {two} {three} {suffix}"))


def _account(chance: Random) -> str:
    """Sort code and account number."""
    code = (_digits(chance, 2) for _ in range(3))
    return f"{'-'.join(code)} {_digits(chance, 8)}"


def _card(chance: Random) -> str:
    """Sixteen digits, the last of which makes the sum right (Luhn)."""
    body = [4, *(int(each) for each in _digits(chance, 14))]
    doubled = (sum(divmod(2 * digit, 10)) if place % 2 == 0 else digit for place, digit in enumerate(body))
    number = "".join(map(str, [*body, -sum(doubled) % 10]))
    spaced = " ".join(number[at : at + 4] for at in range(0, 16, 4))
    return chance.choice((number, spaced))


def _mail(chance: Random) -> str:
    return f"{chance.choice(FIRST)}.{chance.choice(LAST)}{_digits(chance, 5)}@example.org".lower()


def _postcode(chance: Random) -> str:
    """With letters that no other word of a log has beside its digits."""
    letters = chance.choices("BDEFGHJLNPQRSTUWXYZ", k=2)
    return (
        f"{chance.choice(LETTERS)}{chance.choice(LETTERS)}{_digits(chance, 2)} {_digits(chance, 1)}{''.join(letters)}"
    )


def _phone(chance: Random) -> str:
    start, rest = _digits(chance, 3), _digits(chance, 6)
    return chance.choice((f"07{start} {rest}", f"+447{start}{rest}"))


def _token(chance: Random) -> str:
    return f"tok_{chance.getrandbits(128):032x}"


PATTERNED: dict[str, Callable[[Random], str]] = {
    "National Insurance number": _insurance,
    "sort code and account": _account,
    "card": _card,
    "e-mail": _mail,
    "postcode": _postcode,
    "phone": _phone,
}
"""What the patterns know, so that it is masked wherever it stands."""


def patterned(chance: Random, count: int) -> Iterator[str]:
    """So many different ones of every kind that patterns know."""
    for make in PATTERNED.values():
        yield from _different(make, chance, count)


def names(chance: Random, count: int) -> Iterator[str]:
    """So many different people."""
    yield from chance.sample([f"{first} {last}" for first, last in product(FIRST, LAST)], count)


def tokens(chance: Random, count: int) -> Iterator[str]:
    yield from _different(_token, chance, count)


def _different(make: Callable[[Random], str], chance: Random, count: int) -> Iterator[str]:
    seen: set[str] = set()
    while len(seen) < count:
        made = make(chance)
        if made not in seen:
            seen.add(made)
            yield made
