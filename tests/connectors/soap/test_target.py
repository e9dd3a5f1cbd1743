import pickle

from connectors.soap.security import Basic
from connectors.soap.target import DECODE, SoapTarget
from tests.connectors.soap.samples import GET_BALANCE


def test_a_target_is_plain_data() -> None:
    """It crosses to the data process as it is; by itself it asks for nothing special."""
    target = SoapTarget(GET_BALANCE, request={"AccountNo": "path.account"}, auth=(Basic("a", "b"),))
    assert pickle.loads(pickle.dumps(target)) == target
    assert (SoapTarget(GET_BALANCE).strict, SoapTarget(GET_BALANCE).decode, DECODE) == (False, DECODE, 8_388_608)
