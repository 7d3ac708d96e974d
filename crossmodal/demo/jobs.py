"""The demonstration's one job."""

from crossmodal.demo import steps, turns


def advance_demo(turn: int) -> None:
    """Take the next step; where only waiting helps, look again in a moment."""
    if not turns.take(turn):
        return
    state = steps.advance()
    if not state.finished and not state.error:
        turns.pass_on(turn)
