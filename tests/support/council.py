"""The traffic of an invented council that only a catch-all route has served: 200 endpoints, drawn from a larger pool.

`<kind>` in a template is a value of that kind. This file knows nothing of how endpoints are found again: a seed decides
which endpoints there are, how much each is used (by Zipf's law), which values it meets, and what noise lies around it.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from random import Random
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

HEX, DIGITS = "0123456789abcdef", "0123456789"
UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
TOKEN = UPPER + LOWER + DIGITS + "-_"


def _words(text: str) -> list[str]:
    return text.split()


SURNAMES = _words("""
    Smith Jones Taylor Brown Williams Wilson Johnson Davies Robinson Wright Thompson Evans Walker White Roberts
    Green Hall Wood Jackson Clarke Patel Khan Lewis James Phillips Mason Mitchell Rose Davis Rodgers Cox Alexander
    Marshall Richards Shah Ali Begum Hussain O'Brien Murphy Kelly Byrne Campbell Stewart MacDonald Fraser Grant Reid
    Ross Hughes Edwards Morgan Price Lloyd Griffiths Owen Pritchard Bevan Rees Okafor Adeyemi Mensah Nowak Kowalski
    Silva Santos Chen Wong Singh Kaur Gill Sandhu Ahmed Rahman Chowdhury Miah Fletcher Cooper Turner Parker Carter
    Baker Harris Bennett Gray Palmer Stone Knight Hunter Fox Marsh Lamb Bishop Pearce Hart Barker Dean Moss Poole
""")
FORENAMES = _words("ann bilal carys david ella fatima george hana imran joan karol lucy maya nia omar priya")
FIRST = _words("old new royal golden red white black green crown kings queens mill river station castle")
SECOND = _words("lion horse swan bell oak anchor kitchen bakery tandoori cafe garage florist arms tavern grill")
STREETS = _words("mill church station high victoria albert park chapel orchard meadow priory quarry bridge canal")
WAYS = _words("street lane road close avenue drive way court")
WARDS = _words("""
    abbey ashfield beacon-hill brookside castle-park central deepdale eastgate fairview greenhill highfield kingsway
    lakeside manor moorland northcote oakwood priory riverside southfield st-johns thornhill westbrook
""")
BRANCHES = _words("""
    ashfield-library beacon central-library deepdale eastgate fairview-community greenhill kingsway manor-road
    mobile northcote oakwood riverside st-johns
""")
PARKS = _words(
    "abbey-gardens canal-walk castle-green jubilee-park meadow-lands millennium-green priory-park quarry-woods"
)
COURSES = _words(
    "bread-making first-aid spanish-beginners pottery life-drawing web-design tai-chi bookkeeping esol-level-1"
)
TOPICS = _words("bins budget christmas consultation covid elections flooding grants libraries parks roads schools snow")


def _digits(draw: Random, length: int) -> str:
    return draw.choice(DIGITS[1:]) + "".join(draw.choices(DIGITS, k=length - 1))


def _date(draw: Random) -> str:
    return f"{draw.randint(2019, 2027)}-{draw.randint(1, 12):02}-{draw.randint(1, 28):02}"


def _postcode(draw: Random) -> str:
    outward = draw.choice(("FS1", "FS2", "FS14", "SW1A", "M3", "B33"))
    return outward + draw.choice((" ", "")) + draw.choice(DIGITS) + "".join(draw.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))


def _email(draw: Random) -> str:
    who = f"{draw.choice(FORENAMES)}.{draw.choice(SURNAMES).lower()}{draw.choice(('', '7', '82'))}"
    return f"{who}@{draw.choice(('example.org', 'post.example', 'fernshire.example'))}"


def _business(draw: Random) -> str:
    name = f"{draw.choice(('the-', ''))}{draw.choice(FIRST)}-{draw.choice(SECOND)}"
    return name + draw.choice(("", "", f"-{draw.choice(WAYS)}", f"-{draw.randint(2, 9)}"))


def _surname(draw: Random) -> str:
    return draw.choice(SURNAMES) + draw.choice(("", "", "", "", f"-{draw.choice(SURNAMES)}"))


def _headline(draw: Random) -> str:
    return f"{draw.choice(TOPICS)}-{draw.choice(WARDS)}" + draw.choice(("", f"-{draw.choice(TOPICS)}", "-update"))


KINDS: dict[str, Callable[[Random], str]] = {
    "tenancy": lambda draw: f"T{_digits(draw, 6)}",
    "repair": lambda draw: f"REP-{draw.randint(2019, 2026)}-{draw.randint(1, 99_999):05}",
    "ref": lambda draw: f"{draw.choice(('HB', 'CT', 'DHP'))}{_digits(draw, 7)}",
    "lowref": lambda draw: f"case-{draw.randint(1000, 99999)}",
    "num": lambda draw: _digits(draw, draw.randint(4, 7)),
    "small": lambda draw: str(draw.randint(1, 40)),
    "uuid": lambda draw: str(UUID(int=draw.getrandbits(128), version=4)),
    "UUID": lambda draw: str(UUID(int=draw.getrandbits(128), version=4)).upper(),
    "date": _date,
    "compact": lambda draw: _date(draw).replace("-", ""),
    "month": lambda draw: _date(draw)[:7],
    "year": lambda draw: str(draw.randint(2015, 2027)),
    "fy": lambda draw: (lambda year: f"{year}-{(year + 1) % 100:02}")(draw.randint(2015, 2026)),
    "instant": lambda draw: f"{_date(draw)}T{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00Z",
    "sha": lambda draw: "".join(draw.choices(HEX, k=40)),
    "md5": lambda draw: "".join(draw.choices(HEX, k=32)),
    "oid": lambda draw: "".join(draw.choices(HEX, k=24)),
    "token": lambda draw: "".join(draw.choices(TOKEN, k=draw.randint(22, 43))),
    "short": lambda draw: "".join(draw.choices(TOKEN[:-2], k=11)),
    "uprn": lambda draw: _digits(draw, draw.choice((11, 12))),
    "email": _email,
    "postcode": _postcode,
    "reg": lambda draw: "".join(draw.choices(UPPER, k=2)) + _digits(draw, 2) + "".join(draw.choices(UPPER, k=3)),
    "nino": lambda draw: f"QQ{_digits(draw, 6)}{draw.choice('ABCD')}",
    "isbn": lambda draw: f"978{_digits(draw, 10)}",
    "planning": lambda draw: f"{draw.randint(18, 26)}-{draw.randint(1, 4999):05}-{draw.choice(('FUL', 'LBC', 'TPO'))}",
    "area": lambda draw: f"E0{_digits(draw, 7)}",
    "file": lambda draw: f"letter-{_digits(draw, 6)}.pdf",
    "surname": _surname,
    "lowname": lambda draw: _surname(draw).lower(),
    "business": _business,
    "headline": _headline,
    "street": lambda draw: f"{draw.choice(STREETS)}-{draw.choice(WAYS)}",
    "house": lambda draw: f"{draw.randint(1, 199)}-{draw.choice(STREETS)}-{draw.choice(WAYS)}",
    "ward": lambda draw: draw.choice(WARDS),
    "branch": lambda draw: draw.choice(BRANCHES),
    "park": lambda draw: draw.choice(PARKS),
    "course": lambda draw: draw.choice(COURSES),
    "band": lambda draw: draw.choice("ABCDEFGH"),
}
"""How a value of each kind is drawn, decoded."""

POOL = Path(__file__).with_suffix(".txt").read_text().splitlines()

SERVICES = _words("""
    adoption archives bereavement coroner fostering fraud galleries grants harbour markets museums pensions
    playgrounds procurement rangers regeneration safeguarding sports theatre tourism transport trading youth
""")
NOUNS = _words("""
    accounts agreements alerts assets audits awards bids bookings buildings centres certificates clients complaints
    consents contacts contracts courses deposits disputes documents enquiries exhibits facilities families forms
    groups households incidents inspections invoices items leases letters licences locations meetings members
    messages notices objects officers orders panels patrols permits plots policies prices programmes projects
    receipts records referrals reports requests reviews routes rotas samples seats sessions shifts shops sites staff
    stalls statements suppliers surveys tasks tenders tickets trips trustees vehicles venues vessels visits
    volunteers wards warnings
""")
DONE = _words("approve close reopen assign archive publish withdraw extend verify")
IDS = _words("tenancy repair ref num num num small uuid uuid UUID sha oid token short planning isbn")
NAMES = _words("surname lowname business headline street ward")


def made_up(seed: int) -> list[str]:
    """A pool without a plan behind it: services that all have the same kinds of collections, named by drawn nouns."""
    draw = Random(seed)
    lines: list[str] = []
    for service in draw.sample(SERVICES, 16):
        base = f"{draw.choice(('', '', '', '/api', '/api/v1'))}/{service}"
        for noun in draw.sample(NOUNS, draw.randint(2, 8)):
            place = f"{base}/{noun}"
            item = f"{place}/<{draw.choice(NAMES) if draw.random() < 0.15 else draw.choice(IDS)}>"
            some = [f"GET {item}", f"GET {place}", f"POST {place}", f"PUT {item}", f"DELETE {item}", f"PATCH {item}"]
            lines += some[: draw.randint(1, 5)]
            for part in draw.sample(NOUNS, draw.choice((0, 0, 1, 1, 2, 4))):
                below = [f"GET {item}/{part}", f"POST {item}/{part}", f"GET {item}/{part}/<{draw.choice(IDS)}>"]
                lines += below[: draw.randint(1, 3)]
            if draw.random() < 0.3:
                lines.append(f"POST {item}/{draw.choice(DONE)}")
            if draw.random() < 0.2:
                lines.append(f"POST {place}/search")
    return list(dict.fromkeys(lines))


MOST = 4_000
"""Different values of one place."""


class Sent(NamedTuple):
    """One request of the traffic, without its query, and the status it was answered with."""

    method: str
    path: bytes
    status: int
    at: float


class Traffic(NamedTuple):
    """Requests in the order of their times, and the endpoints that are really there, with `{}` for each value."""

    sent: list[Sent]
    endpoints: frozenset[tuple[str, str]]


def traffic(
    seed: int,
    requests: int = 40_000,
    endpoints: int = 200,
    skew: float = 1.0,
    noise: float = 0.1,
    pool: Sequence[str] = POOL,
) -> Traffic:
    """What a council's catch-all route has served; `noise` is the part of it that asks for no endpoint."""
    draw = Random(seed)
    values: dict[str, list[str]] = {}
    chosen = [_Endpoint(line, draw, values) for line in draw.sample(pool, endpoints)]
    weights = list(accumulate(1 / rank**skew for rank in range(1, endpoints + 1)))
    least = [each for each in chosen for _ in range(2)]  # nothing is an endpoint that nobody calls
    asked = least + draw.choices(chosen, cum_weights=weights, k=requests - len(least))
    draw.shuffle(asked)
    sent: list[Sent] = []
    for number, each in enumerate(asked):
        at = 1_790_000_000 + number * 0.7
        sent.append(each.request(draw, at))
        while draw.random() < noise:
            sent.append(_noise(draw, at, sent))
    return Traffic(sent, frozenset(each.truth for each in chosen))


class _Endpoint:
    """One endpoint, and the values that it meets: few of them often, and many seldom."""

    def __init__(self, line: str, draw: Random, known: dict[str, list[str]]) -> None:
        self.method, _, path = line.partition(" ")
        self.parts = [part[1:-1] if part.startswith("<") else f"={part}" for part in path[1:].split("/")]
        self.truth = (self.method, "/" + "/".join(part[1:] if part[0] == "=" else "{}" for part in self.parts))
        self.values: list[list[str]] = []
        for at, part in enumerate(self.parts):
            if part[0] != "=":
                place = "/".join(self.parts[: at + 1])  # what stands there is the same for all that goes on from there
                if place not in known:
                    count = draw.randint(MOST // 20, MOST)
                    known[place] = list(dict.fromkeys(KINDS[part](draw) for _ in range(count)))
                self.values.append(known[place])
        self.good = {"POST": 201, "DELETE": 204}.get(self.method, 200)

    def request(self, draw: Random, at: float) -> Sent:
        values = iter([each[int(len(each) * draw.random() ** 2.5)] for each in self.values])
        parts = [part[1:] if part[0] == "=" else quote(next(values), safe="@:'") for part in self.parts]
        lot = draw.random()
        status = self.good
        if lot < 0.06:
            status = draw.choice((400, 401, 403, 404, 404, 404, 409, 422, 500, 503, 0))
        method = "HEAD" if self.method == "GET" and draw.random() < 0.01 else self.method
        return Sent(method, ("/" + "/".join(parts)).encode(), status, at)


SCANNED = _words("""
    /wp-login.php /wp-admin/ /.env /.git/config /phpmyadmin/index.php /admin /administrator/ /cgi-bin/test.cgi
    /actuator/env /solr/admin/info/system /owa/auth/logon.aspx /xmlrpc.php /backup.zip /console/ /manager/html
    /vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php /api/.env /server-status /HNAP1/ /boaform/admin/formLogin
""")
STATIC = _words("""
    /favicon.ico /robots.txt /static/app.4f2a91bc.js /static/app.9c1d77e0.css /static/vendor.js /static/logo.svg
    /assets/fonts/gds-light.woff2 /assets/images/crest.png /static/app.4f2a91bc.js.map /apple-touch-icon.png
""")


def _noise(draw: Random, at: float, sent: list[Sent]) -> Sent:
    """A request for nothing that is there: a scanner's, a mistake, a file, a preflight."""
    kind = draw.choice(("scan", "scan", "random", "random", "typo", "static", "static", "static", "preflight"))
    some = draw.choice(sent[-200:])
    refused = draw.choice((404, 404, 404, 404, 404, 403, 400, 401, 405))
    if kind == "scan":
        return Sent(draw.choice(("GET", "GET", "POST")), draw.choice(SCANNED).encode(), refused, at)
    if kind == "random":
        words = ["".join(draw.choices(LOWER + DIGITS, k=draw.randint(3, 12))) for _ in range(draw.randint(1, 4))]
        return Sent("GET", ("/" + "/".join(words)).encode(), refused, at)
    if kind == "typo":
        at_letter = draw.randrange(1, len(some.path) + 1)
        return Sent(some.method, some.path[:at_letter] + b"x" + some.path[at_letter:], 404, at)
    if kind == "static":
        return Sent("GET", draw.choice(STATIC).encode(), draw.choice((200, 200, 304)), at)
    return Sent("OPTIONS", some.path, 204, at)


def random_paths(seed: int, requests: int, status: int = 200) -> Iterator[Sent]:
    """A scanner that never asks twice for the same, of a system that answers everything in the same way."""
    draw = Random(seed)
    for number in range(requests):
        words = ["".join(draw.choices(LOWER, k=draw.randint(3, 12))) for _ in range(draw.randint(1, 5))]
        yield Sent("GET", ("/" + "/".join(words)).encode(), status, 1_790_000_000.0 + number)
