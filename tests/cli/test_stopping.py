"""Stopping with signals."""

from __future__ import annotations

import signal
import threading

import pytest

from src_model.cli.stopping import StopRequest


def test_the_first_signal_asks_and_the_second_stops(capsys):
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.requested
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert "what is done is kept" in capsys.readouterr().err


def test_a_termination_signal_counts_as_well():
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.requested


def test_signals_go_to_their_earlier_handlers_afterwards():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with StopRequest():
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_other_threads_do_without():
    outcome = []

    def work():
        with StopRequest() as stop:
            outcome.append(stop.requested)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert outcome == [False]
