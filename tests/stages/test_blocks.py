"""Joining short arrays: nothing lost, nothing late."""

import numpy as np
import pytest

from pipeline.stages.blocks import in_blocks


@pytest.mark.parametrize("sizes", [[], [0], [3], [4], [5, 1], [1] * 9, [2, 0, 7, 1]])
def test_samples_keep_their_order_and_blocks_their_least_length(sizes: list[int]) -> None:
    everything = np.arange(sum(sizes), dtype=np.int16)
    parts = np.split(everything, np.cumsum(sizes)[:-1]) if sizes else []
    blocks = list(in_blocks(iter(parts), frames=4))
    assert [number for block in blocks for number in block.tolist()] == everything.tolist()
    assert all(len(block) >= 4 for block in blocks[:-1])
    assert all(block.dtype == np.int16 for block in blocks)
