"""A child answers one question at a time, however many threads ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from documents.parsers.pdf_workers import _Kept

ISOLATED = "tests.documents.isolated"


def test_each_is_given_the_answer_to_its_own_question() -> None:
    kept = _Kept(f"{ISOLATED}:double")

    def ask(number: int) -> int:
        with kept.at_work() as child:
            answer: int = child.call(number=number)
        return answer

    try:
        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(200))) == [2 * number for number in range(200)]
    finally:
        kept.close()
