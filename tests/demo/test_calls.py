"""What the tenants ask for."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.demo import calls, council
from gateway.demo.calls import Call
from gateway.demo.council import Tenancy
from gateway.demo.legacy import back_office
from gateway.demo.soap import read
from tests.demo.support import visiting


def home(number: int = 42) -> Tenancy:
    found = council.tenancy(council.tenancy_id(number))
    assert found is not None
    return found


@given(st.integers(0, 899_999), st.integers())
def test_the_same_chance_draws_the_same_call(number: int, seed: int) -> None:
    """A run can be repeated: who asks for what follows from the client's number."""
    tenant = home(number)
    assert calls.draw(tenant, Random(seed)) == calls.draw(tenant, Random(seed))


def test_the_mix_reaches_every_kind_of_call() -> None:
    """A few hundred draws ask for everything there is, reads and writes, REST and both SOAP versions."""
    chance = Random(1)
    drawn = [calls.draw(home(), chance) for _ in range(1000)]
    assert len(calls.MIX) == len({call.route for call in drawn})
    assert {"GET", "POST"} == {call.method for call in drawn}
    types = {value.partition(";")[0] for call in drawn for name, value in call.headers if name == "Content-Type"}
    assert {"application/json", "text/xml", "application/soap+xml"} == types


@pytest.mark.parametrize("ask", list(calls.MIX), ids=lambda ask: ask.__name__)
async def test_the_right_answer_contains_the_proof(ask: calls.Ask) -> None:
    """The legacy system's answer to every call has the expected status and contains the proof."""
    chance = Random(7)
    async with visiting(back_office()) as client:
        for _ in range(8):
            call = ask(home(), chance)
            headers = {**dict(call.headers), "Cookie": f"tenancy={home().id}"}
            async with client.request(call.method, call.path, data=call.body or None, headers=headers) as response:
                assert call.status == response.status
                body = await response.read()
                assert call.proof in body
                assert call.amount in body


def test_who_asks_for_a_balance_knows_it() -> None:
    """In both calls, so that a penny is missed."""
    found = council.balance(home().account)
    assert found is not None
    amounts = {ask(home(), Random(1)).amount for ask in (calls.rent_balance, calls.soap_balance)}
    assert amounts == {council.pounds(found.pence).encode()}


def test_a_call_becomes_one_http_message() -> None:
    """A request names the host, the tenant and the length of its body, and nothing else that is not asked for."""
    get = Call("r", "GET", "/a?b", b"").message("h:1", "T100001")
    assert get == b"GET /a?b HTTP/1.1\r\nHost: h:1\r\nCookie: tenancy=T100001\r\n\r\n"
    post = Call("r", "POST", "/a", b"", b"{}", (("X", "y"),)).message("h:1", "T100001")
    assert post.endswith(b"\r\nX: y\r\nContent-Length: 2\r\n\r\n{}")


def test_soap_calls_name_their_operation_in_body_and_action() -> None:
    """Body and SOAPAction (or the action parameter) never contradict each other."""
    chance = Random(3)
    for _ in range(10):
        call = calls.soap_balance(home(), chance)
        assert read(call.body).operation == "GetBalance"
        assert any("urn:fernshire:rents#GetBalance" in value for _, value in call.headers)
