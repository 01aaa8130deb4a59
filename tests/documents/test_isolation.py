from __future__ import annotations

import time

import pytest

from documents.isolation import Child, ChildFailedError, Limits, Refusal, once

SHORT = Limits(seconds=10, megabytes=512, cpu_seconds=20, file_megabytes=1)
HERE = "tests.documents.isolated"


class TestCall:
    def test_answers_whatever_the_function_prints(self) -> None:
        assert once(f"{HERE}:double", SHORT, number=21) == 42

    def test_runs_in_one_process_until_that_is_gone(self) -> None:
        with Child(f"{HERE}:number_of_process", SHORT) as child:
            first = child.call()
            assert child.call() == first
            with pytest.raises(ChildFailedError) as failed:
                child.call(then="abort")
            assert failed.value.why == "crash"
            assert child.call() != first

    def test_hands_a_refusal_on(self) -> None:
        with pytest.raises(Refusal) as refused:
            once(f"{HERE}:refuse", SHORT, code="not_an_image")
        assert (refused.value.code, refused.value.detail) == ("not_an_image", "because")

    def test_tells_an_unforeseen_error_from_a_refusal(self) -> None:
        with pytest.raises(ChildFailedError) as failed:
            once(f"{HERE}:fail", SHORT)
        assert failed.value.why == "error"
        assert "unforeseen" in failed.value.detail

    def test_ends_one_that_takes_too_long(self) -> None:
        began = time.monotonic()
        with pytest.raises(ChildFailedError) as failed:
            once(f"{HERE}:sleep", Limits(seconds=0.3), seconds=60)
        assert failed.value.why == "time"
        assert time.monotonic() - began < 30

    def test_ends_one_that_burns_its_processor_time(self) -> None:
        with pytest.raises(ChildFailedError) as failed:
            once(f"{HERE}:spin", Limits(seconds=60, cpu_seconds=1))
        assert failed.value.why == "time"

    def test_gives_no_more_memory_than_it_may_have(self) -> None:
        with pytest.raises(ChildFailedError) as failed:
            once(f"{HERE}:hoard", SHORT, megabytes=600)
        assert failed.value.why == "memory"
        assert once(f"{HERE}:hoard", SHORT, megabytes=100) == 100 * 1024 * 1024

    def test_lets_no_file_grow_beyond_its_limit(self) -> None:
        with Child(f"{HERE}:write", SHORT) as child:
            assert child.call(megabytes=1) == "made"
            assert (child.folder / "made").stat().st_size == 1024 * 1024
            with pytest.raises(ChildFailedError):
                child.call(megabytes=2)

    def test_knows_nothing_of_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("SECRET_KEY", "not for decoders")
        assert "SECRET_KEY" not in once(f"{HERE}:environment", SHORT)

    def test_leaves_no_folder(self) -> None:
        with Child(f"{HERE}:write", SHORT) as child:
            child.call(megabytes=1)
            folder = child.folder
        assert not folder.exists()
