"""What the policies attached to a binding ask for (WS-Policy Attachment): so far, whether messages travel as MTOM."""

from collections.abc import Iterator

from lxml import etree

_POLICY = frozenset({"http://schemas.xmlsoap.org/ws/2004/09/policy", "http://www.w3.org/ns/ws-policy"})
_MTOM = frozenset(
    {
        "{http://schemas.xmlsoap.org/ws/2004/09/policy/optimizedmimeserialization}OptimizedMimeSerialization",
        "{http://www.w3.org/2007/08/soap12-mtom-policy}MTOM",
    }
)
_IDS = (
    "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd}Id",
    "{http://www.w3.org/XML/1998/namespace}id",
)


def asks_for_mtom(binding: etree._Element) -> bool:
    """Whether a binding's policy, inside it or referred to in its document, has MTOM as more than an option."""
    return any(
        each.tag in _MTOM and not any(each.get(f"{{{space}}}Optional") in ("true", "1") for space in _POLICY)
        for policy in _policies(binding)
        for each in policy.iter()
    )


def _policies(binding: etree._Element) -> Iterator[etree._Element]:
    for child in binding:
        name = etree.QName(child) if isinstance(child.tag, str) else None
        if name is None or name.namespace not in _POLICY:
            continue
        if name.localname == "Policy":
            yield child
        elif name.localname == "PolicyReference":
            wanted = child.get("URI", "").removeprefix("#")
            yield from (each for each in binding.getroottree().iter() if wanted and wanted in map(each.get, _IDS))
