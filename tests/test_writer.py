"""The writer: one job at a time, in order, and nothing that goes wrong is lost."""

import threading

import pytest

from mulligan.errors import StorageError
from mulligan.writer import Writer


def test_the_caller_goes_on_while_a_job_is_under_way() -> None:
    writer, release, done = Writer(), threading.Event(), []
    writer.start(lambda: (release.wait(10), done.append("first")))
    assert done == []
    release.set()
    writer.wait()
    assert done == ["first"]


def test_jobs_run_in_order_never_two_at_once() -> None:
    writer, done = Writer(), []
    for number in range(5):
        writer.start(lambda number=number: done.append(number))
    writer.wait()
    assert done == [0, 1, 2, 3, 4]


def refuse() -> None:
    raise StorageError("the disk is full")


def test_a_disk_that_refuses_is_told_once_when_asked() -> None:
    writer = Writer()
    writer.start(refuse)
    writer.wait()
    assert str(writer.take_trouble()) == "the disk is full"
    assert writer.take_trouble() is None


def test_a_bug_in_a_job_is_raised_where_it_can_be_seen() -> None:
    writer = Writer()
    writer.start(lambda: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        writer.wait()
    writer.wait()
