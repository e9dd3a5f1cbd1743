"""The two generations as servers: what is asked is read from the envelope, as any server would, and answered alike."""

from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from tests.support.messages import answer
from tests.support.origin import Origin, Talk
from tests.support.rents import NEW, OLD

ONE, TWO = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
NIL = 'xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"'
TYPES = {ONE: "text/xml; charset=utf-8", TWO: "application/soap+xml; charset=utf-8"}


class Account(NamedTuple):
    amount: str
    lines: tuple[tuple[str, str], ...]


ACCOUNTS = {"R1": Account("12.50", (("A", "12.00"), ("B", "0.50"))), "R2": Account("0.00", ()), "é&<": Account("1", ())}
HUGE = Account("1.00", tuple((f"C{at}", f"{at}.25") for at in range(4_000)))


def open_rents(origin: Origin) -> None:
    """The old service, SOAP 1.1 or 1.2 as it is asked, at /Rents."""
    origin.on("/Rents", _served(OLD, "AccountNo", _old_balance, _old_fault))


def open_accounts(origin: Origin) -> None:
    """The new service at /Accounts."""
    origin.on("/Accounts", _served(NEW, "account", _new_balance, _new_fault))


def envelope(content: str, version: str = ONE, headers: str = "") -> bytes:
    header = f"<e:Header>{headers}</e:Header>" if headers else ""
    return f'<e:Envelope xmlns:e="{version}">{header}<e:Body>{content}</e:Body></e:Envelope>'.encode()


Balance = Callable[[str, str | None, Account], str]


def _served(space: str, key: str, balance: Balance, fault: Callable[[str], str]) -> Callable[[Talk], None]:
    def reply(talk: Talk) -> None:
        root = etree.fromstring(talk.body())
        version = etree.QName(root).namespace or ""
        asked = root[-1][0]
        assert etree.QName(asked).namespace == space
        number = asked.findtext(f"{{{space}}}{key}") or ""
        date = next((each.text for each in asked if etree.QName(each).localname in ("AsAt", "on")), None)
        found = HUGE if number.startswith("HUGE") else ACCOUNTS.get(number)
        if etree.QName(asked).localname in ("NoteArrival", "Arrived"):
            talk.send(answer(b"", status=202))
        elif number == "BROKEN":
            talk.send(_told(version, _fault(version, "Server", "At line 5 of rents.cs", ""), 500))
        elif found is None:
            talk.send(_told(version, _fault(version, "Client", "There is no such account.", fault(number)), 500))
        else:
            talk.send(_told(version, balance(escaped(number), date, found), 200, _session(space, root)))

    return reply


def _session(space: str, root: etree._Element) -> str:
    """The key that came in the header, and how often it was seen."""
    key = root.findtext(f".//{{{space}}}Key")
    return "" if key is None else f'<Session xmlns="{space}"><Key>{key}+1</Key></Session>'


def _told(version: str, content: str, status: int, headers: str = "") -> bytes:
    return answer(envelope(content, version, headers), f"Content-Type: {TYPES[version]}", status=status)


def _fault(version: str, code: str, reason: str, detail: str) -> str:
    if version == ONE:
        return (
            f"<e:Fault><faultcode>e:{code}</faultcode><faultstring>{reason}</faultstring>"
            f"<detail>{detail}</detail></e:Fault>"
        )
    blamed = {"Client": "Sender", "Server": "Receiver"}[code]
    return (
        f"<e:Fault><e:Code><e:Value>e:{blamed}</e:Value></e:Code><e:Reason><e:Text xml:lang='en'>{reason}</e:Text>"
        f"</e:Reason><e:Detail>{detail}</e:Detail></e:Fault>"
    )


def _old_balance(number: str, date: str | None, account: Account) -> str:
    lines = "".join(f"<Line><Code>{code}</Code><Value>{value}</Value></Line>" for code, value in account.lines)
    return (
        f'<GetBalanceResponse xmlns="{OLD}"><AccountNo>{number}</AccountNo><Amount>{account.amount}</Amount>'
        f"{_date('AsAt', date)}{lines}</GetBalanceResponse>"
    )


def _new_balance(number: str, date: str | None, account: Account) -> str:
    lines = "".join(f"<charge><code>{code}</code><amount>{value}</amount></charge>" for code, value in account.lines)
    return (
        f'<AccountBalance xmlns="{NEW}"><account>{number}</account><balance>{account.amount}</balance>'
        f"{_date('on', date)}{lines}</AccountBalance>"
    )


def _date(name: str, date: str | None) -> str:
    return f"<{name} {NIL}/>" if date is None else f"<{name}>{date}</{name}>"


def _old_fault(number: str) -> str:
    return f'<AccountNotFound xmlns="{OLD}"><AccountNo>{escaped(number)}</AccountNo></AccountNotFound>'


def _new_fault(number: str) -> str:
    inside = f"<AccountNo>{escaped(number)}</AccountNo><ticket>T-1</ticket>"
    return f'<NoSuchAccount xmlns="{NEW}">{inside}</NoSuchAccount>' if number != "VAGUE" else ""


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
