"""Long lists of ids go to the database in parts."""

from hypothesis import given
from hypothesis import strategies as st

from lti_tool.support.db import in_batches


@given(ids=st.lists(st.integers()), size=st.integers(1, 7))
def test_batches_hold_every_id_once_and_in_order(ids: list[int], size: int) -> None:
    batches = list(in_batches(ids, size))
    assert [one for batch in batches for one in batch] == ids
    assert all(1 <= len(batch) <= size for batch in batches)
