"""Results come in order, few are begun ahead, errors come out."""

from __future__ import annotations

from functools import partial

import pytest

from exprimo.genetics.eqtl.workers import in_order


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_tasks_are_begun_ahead(threads: int) -> None:
    begun = []

    def tasks():
        for i in range(40):
            begun.append(i)
            yield partial(pow, i, 2)

    for i, result in enumerate(in_order(tasks(), threads)):
        assert result == i * i
        assert len(begun) <= i + 1 + 2 * threads
    assert len(begun) == 40


@pytest.mark.parametrize("threads", [1, 3])
def test_an_error_of_a_task_comes_out(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(in_order([partial(divmod, 1, 1), partial(divmod, 1, 0)] * 5, threads))
