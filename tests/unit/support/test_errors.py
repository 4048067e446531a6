from lti_tool.errors import N_, ToolError
from lti_tool.support.failures import BadAnswer, CallFailed, Redirected, TooSlow, Unreachable


def test_a_failure_says_what_and_where():
    assert str(TooSlow("lms.example.org")) == "TooSlow at lms.example.org"
    assert str(Unreachable("lms.example.org", "name")) == "Unreachable at lms.example.org, name"
    assert str(Redirected("lms.example.org", 302)) == "Redirected at lms.example.org, 302"


def test_every_failed_call_can_be_caught_as_one():
    assert issubclass(BadAnswer, CallFailed)
    assert issubclass(CallFailed, ToolError)


def test_marking_a_text_leaves_it_as_it_is():
    assert N_("Not saved") == "Not saved"
