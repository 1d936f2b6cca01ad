"""Frames between the server and a serving kernel."""

from __future__ import annotations

import io
import struct

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.wire import FrameBuffer, frame, read_frames

MESSAGES = st.lists(
    st.dictionaries(st.text(max_size=5), st.integers(-(2**63), 2**64 - 1) | st.text() | st.none()),
    max_size=5,
)


@given(messages=MESSAGES, cuts=st.lists(st.integers(1, 7), min_size=1, max_size=50))
def test_frame_buffer_yields_messages_for_any_chunking(
    messages: list[dict[str, object]], cuts: list[int]
) -> None:
    stream = b"".join(frame(message) for message in messages)
    buffer, got, at, turn = FrameBuffer(), [], 0, 0
    while at < len(stream):
        size = cuts[turn % len(cuts)]
        got += buffer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert got == messages
    assert list(read_frames(io.BytesIO(stream))) == messages


def test_read_frames_raises_when_stream_ends_within_frame() -> None:
    whole = frame({"id": 1, "rows": [[1.5, None]]})
    for length in range(1, len(whole)):
        with pytest.raises((struct.error, msgspec.DecodeError)):
            list(read_frames(io.BytesIO(whole[:length])))


def test_frame_raises_for_value_without_messagepack_type() -> None:
    with pytest.raises(TypeError):
        frame({"id": 1, "value": object()})
