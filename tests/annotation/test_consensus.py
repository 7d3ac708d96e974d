import pytest

from annotation.consensus import Verdict, decide

P, O, N = "positive", "neutral", "negative"  # noqa: E741


@pytest.mark.parametrize(
    ("votes", "verdict"),
    [
        ([], Verdict("open", "")),
        ([P, P], Verdict("open", "")),
        ([P, P, P], Verdict("majority", P)),
        ([P, N, N], Verdict("majority", N)),
        ([O, N, O], Verdict("majority", O)),
        ([P, O, N], Verdict("no-majority", "")),
    ],
)
def test_three_votes_decide_by_majority(votes, verdict):
    assert decide(votes) == verdict


@pytest.mark.parametrize("votes", [[P, P, N, N], [P, P, O, N], [P, O, N, O]])
def test_half_of_the_votes_is_no_majority(votes):
    assert decide(votes, needed=4) == Verdict("no-majority", "")


def test_more_votes_than_needed_still_want_more_than_half_of_them():
    assert decide([P, P, N, N, O], needed=3) == Verdict("no-majority", "")
    assert decide([P, P, P, N, O], needed=3) == Verdict("majority", P)


def test_the_order_of_the_votes_does_not_matter():
    assert decide([N, P, P]) == decide([P, N, P]) == decide([P, P, N])


def test_it_refuses_a_word_that_is_no_class():
    with pytest.raises(ValueError, match="'postive' is not a class"):
        decide(["postive", P, P])


def test_it_refuses_to_need_no_votes():
    with pytest.raises(ValueError, match="at least one vote"):
        decide([], needed=0)
