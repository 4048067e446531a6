"""Hours on a certificate, how it stands in public, and what its credential gives away."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lti_tool.activities.kinds import KINDS, kind_of
from lti_tool.activities.rules import CertificateTerms, seats_with_hours
from lti_tool.certificates.rules import (
    BadgeWords,
    Issuer,
    Standing,
    credential,
    credential_id,
    flaw_of_name,
    hours_in_seats,
    revocation_list,
    standing_of,
    total,
)
from lti_tool.progress.rules import Item, Progress, State

NOW = datetime(2026, 11, 2, 9, 30, 15, tzinfo=UTC)
OBSERVATION, CIRCLE = kind_of("observation"), kind_of("circle")
TERMS = CertificateTerms("", "", {"observed": Decimal("1.5"), "observer": Decimal("0.25")})


def progress(**states: State) -> Progress:
    """One step in each of the rounds r1, r2 …"""
    items = [
        Item(OBSERVATION.steps[0], int(number[1:]), 1, state, counts=state is not State.EXCUSED)
        for number, state in states.items()
    ]
    return Progress(tuple(items))


def told(kind: object, terms: CertificateTerms, seats: dict[int, str], done: Progress) -> dict[str, Decimal]:
    return {one.seat: one.hours for one in hours_in_seats(terms, kind, seats, done)}


def test_where_seats_are_swapped_each_round_counts_for_both() -> None:
    seats = {1: "observed", 2: "observer"}
    found = told(OBSERVATION, TERMS, seats, progress(r1=State.DONE, r2=State.DONE))
    assert found == {"Observed": Decimal("3.0"), "Observer": Decimal("0.50")}


def test_where_seats_last_for_a_round_each_counts_for_the_seat_that_one_had() -> None:
    one_way = OBSERVATION.going("seat")
    assert not one_way.swaps_inside
    seats = {1: "observed", 2: "observer", 3: "observer"}
    found = told(one_way, TERMS, seats, progress(r1=State.DONE, r2=State.DONE, r3=State.DONE))
    assert found == {"Observed": Decimal("1.5"), "Observer": Decimal("0.50")}


def test_a_round_that_one_is_excused_from_or_has_no_group_in_counts_no_hours() -> None:
    done = progress(r1=State.EXCUSED, r2=State.DONE, r3=State.DONE)
    assert told(OBSERVATION, TERMS, {1: "observed", 2: "observed"}, done) == {
        "Observed": Decimal("1.5"),
        "Observer": Decimal("0.25"),
    }
    assert told(OBSERVATION, CertificateTerms(), {2: "observed"}, done) == {}, "a designer need not value hours"


@given(st.sampled_from(sorted(KINDS)), st.integers(0, 6), st.data())
def test_hours_never_exceed_those_of_all_seats_in_all_rounds(key: str, rounds: int, data: st.DataObject) -> None:
    kind = kind_of(key)
    keys = [seat.key for seat in seats_with_hours(kind)]
    terms = CertificateTerms("", "", {seat: Decimal(data.draw(st.integers(0, 400))) / 4 for seat in keys})
    seats = {number: data.draw(st.sampled_from(keys)) for number in range(1, rounds + 1)}
    done = progress(**{f"r{number}": data.draw(st.sampled_from(State)) for number in seats})
    found = hours_in_seats(terms, kind, seats, done)
    assert 0 <= total(found) <= rounds * sum(terms.hours.values())
    assert (total(found) > 0) == any(
        item.state is State.DONE
        and (sum(terms.hours.values()) if kind.swaps_inside else terms.hours[seats[item.round]])
        for item in done.items
    )


@pytest.mark.parametrize(
    ("published", "taken_back", "withdrawn", "standing"),
    [
        (None, None, None, Standing.PRIVATE),
        (None, None, NOW, Standing.PRIVATE),
        (NOW, None, None, Standing.PUBLISHED),
        (NOW, None, NOW, Standing.WITHDRAWN),
        (None, NOW, None, Standing.TAKEN_BACK),
        (None, NOW, NOW, Standing.TAKEN_BACK),
    ],
)
def test_how_it_stands_in_public(
    published: datetime | None, taken_back: datetime | None, withdrawn: datetime | None, standing: Standing
) -> None:
    assert standing_of(published_at=published, taken_back_at=taken_back, withdrawn_at=withdrawn) is standing


@given(st.text())
def test_a_name_is_taken_as_it_is_up_to_its_length(name: str) -> None:
    assert (flaw_of_name(name) is None) == (0 < len(name) <= 255)


def test_nothing_that_is_public_leads_to_the_address_of_a_certificate() -> None:
    key, issuer = "k3y-of-the-address", Issuer("https://tandem.example/issuers/x", "University")
    made = credential(
        key=key,
        holder="Mette",
        title="Coaching",
        issued_at=NOW,
        achievement="7",
        issuer=issuer,
        words=BadgeWords("d", "c", "n"),
    )
    assert key not in str(made)
    assert (made["nbf"], made["validFrom"]) == (1793611815, "2026-11-02T09:30:15Z")
    listed = revocation_list(issuer, [key])
    assert listed["revokedCredential"] == [{"id": credential_id(key), "revoked": True}]
    assert made["id"] == credential_id(key) != credential_id("another")
