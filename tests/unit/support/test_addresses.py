import pytest

from lti_tool.support.addresses import host_of, is_public, origin_of
from lti_tool.support.failures import AddressRefused


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.215.14", "172.32.0.1", "100.128.0.1", "2606:4700::1111"])
def test_ordinary_addresses_are_public(address):
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.0.0.1",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.255",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.255.255",
        "198.19.0.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::7f00:1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::a00:1",
        "64:ff9b:1::a00:1",
        "2001::1",
        "2001:db8::1",
        "2002:a00:1::",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "fec0::1",
        "ff02::1",
        "not an address",
        "",
    ],
)
def test_everything_that_leads_inside_or_nowhere_is_not_public(address):
    assert not is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/path",
        "file:///etc/passwd",
        "ftp://x.org/",
        "javascript:alert(1)",
        "https://",
        "https:///path",
        "https://[::1",
        "https://x.org:port/",
        "https://x.org /",
        "https://x.org\n/",
        "https://x.org\\@y.org/",
        "https://me@x.org/",
        "https://me:secret@x.org/",
        "https://@x.org/",
        "https://x.org@y.org?z",
        "https://*/",
        "https://*.x.org/",
        "https://x.org;script-src/",
        "https://x.org,y.org/",
        "https://x'.org/",
    ],
)
def test_what_is_no_plain_web_address_is_refused(url):
    with pytest.raises(AddressRefused) as failure:
        host_of(url)

    assert "secret" not in str(failure.value)


def test_an_at_sign_after_the_host_is_nothing_special():
    assert host_of("https://x.org/@me?mail=a@b.org#@") == "x.org"
    assert host_of("https://x.org?mail=a@b.org") == "x.org"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://LMS.Example.org/a?b#c", "https://lms.example.org"),
        ("https://lms.example.org:443/", "https://lms.example.org"),
        ("HTTPS://lms.example.org:8443/", "https://lms.example.org:8443"),
        ("http://127.0.0.1:80/", "http://127.0.0.1"),
        ("http://[::1]:8081/x", "http://[::1]:8081"),
        ("https://lms_1.b\u00fccher.example/", "https://lms_1.xn--bcher-kva.example"),
    ],
)
def test_one_origin_has_one_form(url, origin):
    assert origin_of(url) == origin
