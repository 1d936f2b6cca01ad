"""Batches of requests, with a fake `predict` that waits at gates."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_pycaret_ops.common.errors import OpsError, RowsInvalid, Unavailable
from jupyter_pycaret_ops.server.serving.batcher import Batcher, BatcherLimits, PredictionResult
from jupyter_pycaret_ops.server.serving.kernel_link import LinkInterrupted, LinkLost, PredictFailed

from ...fakes import Gate, in_loop, settle

Rows = list[list[Any]]


class Kernel:
    """Predicts a row as its first value. `bad` raises, `deadly` ends the kernel; every batch waits at `gate`."""

    def __init__(self, gate: Gate | None = None) -> None:
        self.gate = gate
        self.batches: list[list[Any]] = []
        self.probas: list[bool] = []
        self.deaths = 0

    async def predict(self, rows: Rows, proba: bool) -> dict[str, Any]:
        values = [row[0] for row in rows]
        self.batches.append(values)
        self.probas.append(proba)
        if self.gate is not None:
            await self.gate()
        if "deadly" in values or (values and values[0] == "once" and self.deaths == 0):
            self.deaths += 1
            raise LinkLost("the serving kernel ended")
        if "bad" in values:
            raise PredictFailed("ValueError: bad value")
        if "broken" in values:
            raise Unavailable("no kernel can be had")
        return {"predictions": values, "probabilities": [[0.5, 0.5]] * len(rows) if proba else None}


def ask(batcher: Batcher, *values: Any, proba: bool = False) -> asyncio.Task[PredictionResult]:
    return asyncio.create_task(batcher.submit([[value] for value in values], proba=proba))


def values_of(outcome: PredictionResult | BaseException) -> Any:
    return outcome.predictions if isinstance(outcome, PredictionResult) else type(outcome)


@in_loop
async def test_idle_deployment_predicts_at_once() -> None:
    kernel = Kernel()
    answer = await Batcher(kernel.predict).submit([["a"]], proba=False)
    assert answer == PredictionResult(["a"], None)


@in_loop
async def test_requests_during_a_batch_are_the_next_batch() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    first = ask(batcher, "a")
    await gate.reached.wait()
    later = [ask(batcher, "b", "c"), ask(batcher, "d"), ask(batcher, "e")]
    await settle()
    assert batcher.queued_rows == 4
    gate.open.set()
    answers = await asyncio.gather(first, *later)
    assert kernel.batches == [["a"], ["b", "c", "d", "e"]]
    assert [answer.predictions for answer in answers] == [["a"], ["b", "c"], ["d"], ["e"]]
    assert batcher.queued_rows == 0


@in_loop
async def test_batch_is_limited_in_rows_but_has_at_least_one_request() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict, BatcherLimits(batch_rows=3))
    asked = [ask(batcher, 0)]
    await gate.reached.wait()
    asked += [ask(batcher, 1, 2), ask(batcher, 3, 4), ask(batcher, 5), ask(batcher, 6, 7, 8, 9)]
    await settle()
    gate.open.set()
    await asyncio.gather(*asked)
    assert kernel.batches == [[0], [1, 2], [3, 4, 5], [6, 7, 8, 9]]


@in_loop
async def test_only_requests_that_ask_get_probabilities() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    asked = [ask(batcher, "a")]
    await gate.reached.wait()
    asked += [ask(batcher, "b", proba=True), ask(batcher, "c")]
    await settle()
    gate.open.set()
    answers = await asyncio.gather(*asked)
    assert [answer.probabilities for answer in answers] == [None, [[0.5, 0.5]], None]
    assert kernel.probas == [False, True]


@in_loop
async def test_one_invalid_row_fails_only_its_request() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    asked = [ask(batcher, "first")]
    await gate.reached.wait()
    asked += [ask(batcher, value) for value in ("a", "b", "bad", "c", "d", "e", "f")]
    await settle()
    gate.open.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    expected = [["first"], ["a"], ["b"], RowsInvalid, ["c"], ["d"], ["e"], ["f"]]
    assert [values_of(outcome) for outcome in outcomes] == expected
    refused = outcomes[3]
    assert isinstance(refused, RowsInvalid)
    assert "bad value" in refused.message


@in_loop
async def test_cancelled_request_in_a_batch_blocks_no_other() -> None:
    """The second of three requests in a batch is cancelled, and the third is answered."""
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    running = ask(batcher, "a")
    await gate.reached.wait()
    asked = [ask(batcher, value) for value in ("b", "c", "d")]
    await settle()
    asked[1].cancel()
    gate.open.set()
    outcomes = await asyncio.gather(running, *asked, return_exceptions=True)
    expected = [["a"], ["b"], asyncio.CancelledError, ["d"]]
    assert [values_of(outcome) for outcome in outcomes] == expected
    assert kernel.batches == [["a"], ["b", "d"]]


@in_loop
async def test_request_cancelled_during_prediction_blocks_no_other() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    first = ask(batcher, "a")
    await gate.reached.wait()
    gate.reached.clear()
    asked = [ask(batcher, value) for value in ("b", "c", "d")]
    await settle()
    gate.open.set()
    gate.open.clear()
    await gate.reached.wait()  # the three are under way
    asked[1].cancel()
    await settle()
    gate.open.set()
    outcomes = await asyncio.gather(first, *asked, return_exceptions=True)
    assert [values_of(outcome) for outcome in outcomes] == [
        ["a"],
        ["b"],
        asyncio.CancelledError,
        ["d"],
    ]
    assert (await ask(batcher, "e")).predictions == ["e"]


@in_loop
async def test_requests_are_predicted_one_by_one_after_a_death() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    asked = [ask(batcher, "first")]
    await gate.reached.wait()
    asked += [ask(batcher, value) for value in ("a", "deadly", "b")]
    await settle()
    gate.open.set()
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert [values_of(outcome) for outcome in outcomes] == [["first"], ["a"], RowsInvalid, ["b"]]
    assert kernel.batches == [
        ["first"],
        ["a", "deadly", "b"],
        ["a"],
        ["deadly"],
        ["deadly"],
        ["b"],
    ]
    assert batcher.queued_rows == 0


@in_loop
async def test_death_of_the_kernel_loses_no_valid_row() -> None:
    kernel = Kernel()
    assert (await Batcher(kernel.predict).submit([["once"]], proba=False)).predictions == ["once"]


@in_loop
async def test_request_that_ends_the_kernel_twice_is_refused() -> None:
    kernel = Kernel()
    with pytest.raises(RowsInvalid, match="twice"):
        await Batcher(kernel.predict).submit([["deadly"]], proba=False)
    assert kernel.deaths == 2


@in_loop
async def test_full_queue_refuses_further_requests() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict, BatcherLimits(queue_rows=3))
    asked = [ask(batcher, "a")]
    await gate.reached.wait()
    asked.append(ask(batcher, "b", "c", "d"))
    await settle()
    with pytest.raises(Unavailable, match="Too many rows") as refused:
        await batcher.submit([["e"]], proba=False)
    assert refused.value.retry_after_s >= 1
    gate.open.set()
    await asyncio.gather(*asked)
    assert (await batcher.submit([["e"]], proba=False)).predictions == ["e"]


@in_loop
async def test_request_after_its_deadline_is_refused_and_not_predicted() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict, BatcherLimits(deadline_s=0.01))
    running, waiting = ask(batcher, "a"), ask(batcher, "b")
    outcomes = await asyncio.gather(running, waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]
    gate.open.set()
    await batcher.drained()
    assert [value for batch in kernel.batches for value in batch].count("b") <= 1
    assert (await Batcher(kernel.predict).submit([["c"]], proba=False)).predictions == ["c"]


@in_loop
async def test_missing_kernel_fails_all_requests_of_the_batch() -> None:
    kernel = Kernel()
    outcomes = await asyncio.gather(
        *(ask(Batcher(kernel.predict), "broken") for _ in range(2)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [Unavailable, Unavailable]


@in_loop
async def test_closed_batcher_refuses_waiting_and_later_requests() -> None:
    kernel = Kernel(gate := Gate())
    batcher = Batcher(kernel.predict)
    running = ask(batcher, "a")
    await gate.reached.wait()
    waiting = ask(batcher, "b")
    await settle()
    batcher.close(Unavailable("The server is stopping."))
    gate.open.set()
    assert (await running).predictions == ["a"]
    for late in (waiting, ask(batcher, "c")):
        with pytest.raises(Unavailable, match="stopping"):
            await late


@settings(max_examples=60, deadline=None)
@given(
    requests=st.lists(
        st.lists(st.sampled_from(["a", "b", "bad", "deadly"]), min_size=1, max_size=3),
        min_size=1,
        max_size=10,
    ),
    batch_rows=st.integers(1, 6),
)
def test_each_request_gets_its_own_result_for_any_requests(
    requests: list[list[str]], batch_rows: int
) -> None:
    async def work() -> None:
        kernel = Kernel()
        batcher = Batcher(kernel.predict, BatcherLimits(batch_rows=batch_rows))
        async with asyncio.timeout(5):
            outcomes = await asyncio.gather(
                *(ask(batcher, *values) for values in requests), return_exceptions=True
            )
        for values, outcome in zip(requests, outcomes, strict=True):
            if {"bad", "deadly"} & set(values):
                assert isinstance(outcome, OpsError), (values, outcome)
            else:
                assert values_of(outcome) == values
        assert batcher.queued_rows == 0

    asyncio.run(work())


@in_loop
async def test_death_because_of_another_pipeline_counts_for_no_request() -> None:
    """Another pipeline hung: requests in progress are tried again, however often that happens."""
    interruptions = 5

    async def predict(rows: Rows, _proba: bool) -> dict[str, Any]:
        nonlocal interruptions
        if interruptions:
            interruptions -= 1
            raise LinkInterrupted("the serving kernel was ended and starts again")
        return {"predictions": [row[0] for row in rows], "probabilities": None}

    batcher = Batcher(predict)
    answers = await asyncio.gather(ask(batcher, "a"), ask(batcher, "b"))
    assert [answer.predictions for answer in answers] == [["a"], ["b"]]
    assert interruptions == 0


@in_loop
async def test_deadline_grows_with_the_number_of_rows() -> None:
    gate = Gate()
    kernel = Kernel(gate)
    batcher = Batcher(kernel.predict, BatcherLimits(deadline_s=0.1))
    many = asyncio.create_task(batcher.submit([[n] for n in range(10_000)], proba=False))
    few = ask(batcher, "late")
    await gate.reached.wait()
    with pytest.raises(Unavailable, match="too long"):
        await few
    assert not many.done()
    gate.open.set()
    assert len((await many).predictions) == 10_000
