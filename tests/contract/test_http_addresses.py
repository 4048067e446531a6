"""Where the tool lets itself be sent: checked over real sockets."""

import socket
from pathlib import Path

import pytest

from lti_tool.support.http import AddressRefused, Outbound, Purpose, Unreachable, tls_context
from tests.fakes.web_server import WebServer, answer, certificate_for

PUBLIC = "93.184.215.14"


class Network:
    """Names and routes as a test wants them: resolves by a script, and leads every public address to one server."""

    def __init__(self, *answers: list[str], port: int = 0) -> None:
        self.answers = list(answers)
        self.port = port
        self.looked_up: list[str] = []
        self.dialed: list[str] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.looked_up.append(host)
        return self.answers.pop(0)

    def dial(self, address: str, port: int, seconds: float) -> socket.socket:
        self.dialed.append(address)
        if not self.port:
            raise ConnectionRefusedError
        return socket.create_connection(("127.0.0.1", self.port), timeout=seconds)


@pytest.fixture
def server():
    with WebServer(lambda _: answer()) as server:
        yield server


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "0.0.0.0",
        "[::]",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "169.254.169.254",
        "10.0.0.1",
        "100.64.0.1",
        "[fd00:ec2::254]",
        "[fe80::1]",
    ],
)
@pytest.mark.parametrize("scheme", ["https", "http"])
def test_an_inside_address_is_refused_however_it_is_written(server, host, scheme):
    outbound = Outbound(development=True)

    with pytest.raises((AddressRefused, Unreachable)) as failure:
        outbound.get(f"{scheme}://{host}:{server.port}/", Purpose.KEY_SET)

    # Some systems do not read the odd spellings at all, which is as good.
    assert isinstance(failure.value, AddressRefused) or failure.value.reason == "name"
    assert server.requests == []


@pytest.mark.parametrize("address", ["10.1.2.3", "127.0.0.1", "169.254.169.254", "::1", "::ffff:10.0.0.1", "fd00::1"])
def test_a_public_name_that_leads_inside_is_refused_before_any_connection(address):
    network = Network([address])

    with pytest.raises(AddressRefused):
        Outbound(resolve=network.resolve, dial=network.dial).get("https://lms.example.org/", Purpose.KEY_SET)

    assert network.dialed == []


def test_one_private_address_among_public_ones_spoils_them_all():
    network = Network([PUBLIC, "192.168.0.1"])

    with pytest.raises(AddressRefused):
        Outbound(resolve=network.resolve, dial=network.dial).get("https://lms.example.org/", Purpose.KEY_SET)

    assert network.dialed == []


def test_a_name_is_looked_up_once_and_the_checked_address_is_the_one_connected_to(tmp_path: Path):
    certificate = certificate_for("lms.example.org", tmp_path)
    with WebServer(lambda _: answer(b'{"keys": []}'), certificate) as server:
        network = Network([PUBLIC], ["127.0.0.1"], port=server.port)
        outbound = Outbound(resolve=network.resolve, dial=network.dial, tls=tls_context(str(certificate)))

        fetched = outbound.get("https://lms.example.org/jwks", Purpose.KEY_SET)

    assert fetched.json() == {"keys": []}
    assert network.looked_up == ["lms.example.org"]
    assert network.dialed == [PUBLIC]


def test_the_server_sees_the_name_and_not_the_address(tmp_path: Path):
    certificate = certificate_for("lms.example.org", tmp_path)
    with WebServer(lambda _: answer(), certificate) as server:
        network = Network([PUBLIC], port=server.port)
        outbound = Outbound(resolve=network.resolve, dial=network.dial, tls=tls_context(str(certificate)))

        outbound.get("https://lms.example.org/jwks?x=1", Purpose.KEY_SET)

    assert server.names_asked_for == ["lms.example.org"]
    assert server.requests[0].headers["Host"] == "lms.example.org"
    assert server.requests[0].target == "/jwks?x=1"
    assert server.requests[0].headers["User-Agent"].startswith("Tandem/")


def test_a_certificate_for_another_name_is_refused_and_not_tried_again(tmp_path: Path):
    certificate = certificate_for("other.example.org", tmp_path)
    with WebServer(lambda _: answer(), certificate) as server:
        network = Network([PUBLIC], port=server.port)
        outbound = Outbound(resolve=network.resolve, dial=network.dial, tls=tls_context(str(certificate)))

        with pytest.raises(Unreachable) as failure:
            outbound.get("https://lms.example.org/jwks", Purpose.KEY_SET)

    assert failure.value.reason == "certificate"
    assert server.requests == []


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path):
    with WebServer(lambda _: answer(), certificate_for("lms.example.org", tmp_path)) as server:
        network = Network([PUBLIC], port=server.port)

        with pytest.raises(Unreachable) as failure:
            Outbound(resolve=network.resolve, dial=network.dial).get("https://lms.example.org/", Purpose.KEY_SET)

    assert failure.value.reason == "certificate"


def test_a_private_host_that_the_operator_named_may_be_called(tmp_path: Path):
    certificate = certificate_for("lms.internal", tmp_path)
    with WebServer(lambda _: answer(), certificate) as server:
        network = Network(["127.0.0.1"], port=server.port)
        named = (("lms.internal", server.port),)
        outbound = Outbound(named, resolve=network.resolve, dial=network.dial, tls=tls_context(str(certificate)))

        fetched = outbound.get(server.url(host="lms.internal"), Purpose.KEY_SET)

    assert fetched.status == 200


def test_naming_one_port_opens_no_other(server):
    outbound = Outbound((("127.0.0.1", server.port + 1),), development=True)

    with pytest.raises(AddressRefused):
        outbound.get(server.url(), Purpose.KEY_SET)


def test_http_is_for_named_hosts_in_development(server):
    named = (("127.0.0.1", server.port),)

    assert Outbound(named, development=True).get(server.url(), Purpose.KEY_SET).status == 200
    with pytest.raises(AddressRefused):
        Outbound(named).get(server.url(), Purpose.KEY_SET)


def test_http_to_a_public_address_is_refused_even_in_development():
    network = Network([PUBLIC])

    with pytest.raises(AddressRefused):
        Outbound(development=True, resolve=network.resolve, dial=network.dial).get(
            "http://lms.example.org/", Purpose.KEY_SET
        )

    assert network.looked_up == []


def test_a_named_ipv6_address_is_matched_without_its_brackets():
    network = Network(["::1"])

    with pytest.raises(Unreachable) as failure:
        Outbound((("::1", 8443),), resolve=network.resolve, dial=network.dial, pause=lambda _: None).post(
            "https://[::1]:8443/", Purpose.SCORE
        )

    assert failure.value.reason == "connection"
    assert network.dialed == ["::1"]


def test_the_second_address_is_tried_when_the_first_does_not_answer(server):
    network = Network(["::1", "127.0.0.1"])

    def dial(address: str, port: int, seconds: float) -> socket.socket:
        if address == "::1":
            raise ConnectionRefusedError
        return socket.create_connection((address, port), timeout=seconds)

    named = (("lms.internal", server.port),)
    outbound = Outbound(named, development=True, resolve=network.resolve, dial=dial)

    assert outbound.get(server.url(host="lms.internal"), Purpose.KEY_SET).status == 200


def test_a_name_that_nobody_knows_is_unreachable():
    def resolve(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    with pytest.raises(Unreachable) as failure:
        Outbound(resolve=resolve, pause=lambda _: None).get("https://lms.example.org/?token=abc", Purpose.KEY_SET)

    assert failure.value.reason == "name"
    assert "abc" not in repr(failure.value) + str(failure.value)


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
def test_proxies_of_the_environment_are_not_used(server, monkeypatch, name):
    with WebServer(lambda _: answer(b"from the proxy")) as proxy:
        monkeypatch.setenv(name, proxy.url())
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        outbound = Outbound((("127.0.0.1", server.port),), development=True)

        fetched = outbound.get(server.url(), Purpose.KEY_SET)

    assert fetched.body == b"{}"
    assert proxy.requests == []


def test_no_password_is_taken_from_a_netrc_file(server, monkeypatch, tmp_path: Path):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login someone password something\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    Outbound((("127.0.0.1", server.port),), development=True).get(server.url(), Purpose.KEY_SET)

    assert "Authorization" not in server.requests[0].headers
