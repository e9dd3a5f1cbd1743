"""An invented rent service in two generations: WSDLs that have nothing in common but the meaning."""

from typing import NamedTuple

OLD, NEW = "urn:example:rents", "urn:example:accounts"

_WSDL = """\
<definitions name="{name}" targetNamespace="{space}" xmlns="http://schemas.xmlsoap.org/wsdl/" xmlns:t="{space}"
    xmlns:s="http://www.w3.org/2001/XMLSchema" xmlns:soap="http://schemas.xmlsoap.org/wsdl/{soap}/">
  <types><s:schema targetNamespace="{space}" elementFormDefault="qualified">{types}</s:schema></types>
{messages}
  <portType name="{name}">{operations}</portType>
  <binding name="{name}" type="t:{name}">
    <soap:binding transport="http://schemas.xmlsoap.org/soap/http"/>{bindings}
  </binding>
  <service name="{name}">
    <port name="{name}" binding="t:{name}"><soap:address location="http://127.0.0.1:1/{name}"/></port>
  </service>
</definitions>
"""


class Offer(NamedTuple):
    """One operation by the names of its elements; `output` None is one-way. `header` goes with the input and output."""

    name: str
    input: str
    output: str | None
    fault: str | None = None
    header: str | None = None

    @property
    def elements(self) -> list[str]:
        return [each for each in (self.input, self.output, self.fault, self.header) if each is not None]

    @property
    def described(self) -> str:
        output = f'<output message="t:{self.output}"/>' if self.output else ""
        fault = f'<fault name="{self.fault}" message="t:{self.fault}"/>' if self.fault else ""
        return f'<operation name="{self.name}"><input message="t:{self.input}"/>{output}{fault}</operation>'

    def bound(self, space: str) -> str:
        header = f'<soap:header message="t:{self.header}" part="p" use="literal"/>' if self.header else ""
        body = f'<soap:body use="literal"/>{header}'
        output = f"<output>{body}</output>" if self.output else ""
        fault = f'<fault name="{self.fault}"><soap:fault name="{self.fault}" use="literal"/></fault>'
        action = f'<soap:operation soapAction="{space}/{self.name}" style="document"/>'
        faults = fault if self.fault else ""
        return f'<operation name="{self.name}">{action}<input>{body}</input>{output}{faults}</operation>'


def wsdl(name: str, space: str, soap: str, types: str, *offers: Offer) -> str:
    """A WSDL of one document/literal port; `soap` is soap or soap12."""
    elements = dict.fromkeys(element for offer in offers for element in offer.elements)
    return _WSDL.format(
        name=name,
        space=space,
        soap=soap,
        types=types,
        messages="".join(
            f'  <message name="{each}"><part name="p" element="t:{each}"/></message>\n' for each in elements
        ),
        operations="".join(each.described for each in offers),
        bindings="".join(each.bound(space) for each in offers),
    )


def _content(*fields: str) -> str:
    """A sequence of fields that are written `name:type`, with `?`, `*` or `~` (nillable) at the end."""
    rest = {"?": ' minOccurs="0"', "*": ' minOccurs="0" maxOccurs="unbounded"', "~": ' nillable="true"'}
    found = []
    for field in fields:
        name, _, kind = field.rstrip("?*~").partition(":")
        found.append(f'<s:element name="{name}" type="{kind}"{rest.get(field[-1], "")}/>')
    return f"<s:sequence>{''.join(found)}</s:sequence>"


def _type(name: str, *fields: str) -> str:
    return f'<s:complexType name="{name}">{_content(*fields)}</s:complexType>'


def _element(name: str, *fields: str) -> str:
    return f'<s:element name="{name}"><s:complexType>{_content(*fields)}</s:complexType></s:element>'


RENTS = wsdl(
    "Rents",
    OLD,
    "soap",
    _type("Line", "Code:s:string", "Value:s:decimal")
    + _element("GetBalance", "AccountNo:s:string", "AsAt:s:date?")
    + _element("GetBalanceResponse", "AccountNo:s:string", "Amount:s:decimal", "AsAt:s:date~", "Line:t:Line*")
    + _element("AccountNotFound", "AccountNo:s:string", "Hint:s:string?")
    + _element("Session", "Key:s:string")
    + _element("NoteArrival", "AccountNo:s:string"),
    Offer("GetBalance", "GetBalance", "GetBalanceResponse", "AccountNotFound", "Session"),
    Offer("NoteArrival", "NoteArrival", None),
)
ACCOUNTS = wsdl(
    "Accounts",
    NEW,
    "soap12",
    _type("Charge", "code:s:string", "amount:s:decimal")
    + _element("FetchAccountBalance", "account:s:string", "on:s:date?")
    + _element("AccountBalance", "account:s:string", "balance:s:decimal", "on:s:date~", "charge:t:Charge*")
    + _element("NoSuchAccount", "AccountNo:s:string", "ticket:s:string")
    + _element("Session", "Key:s:string")
    + _element("Arrived", "account:s:string"),
    Offer("FetchAccountBalance", "FetchAccountBalance", "AccountBalance", "NoSuchAccount", "Session"),
    Offer("Arrived", "Arrived", None),
)
