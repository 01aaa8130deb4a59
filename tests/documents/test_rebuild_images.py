from __future__ import annotations

import io
from datetime import datetime

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from documents.imaging.plan import RECIPE
from documents.models import Image
from tests.documents import pictures
from tests.documents.test_images import take

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> str:
    said = io.StringIO()
    call_command("rebuild_images", *arguments, stdout=said, stderr=said)
    return said.getvalue()


@pytest.fixture
def three(now: datetime) -> list[Image]:
    """Two of an older recipe, and one of this."""
    made = [take(pictures.jpeg(60 + number, 60), now) for number in range(3)]
    Image.objects.filter(pk__in=[one.pk for one in made[:2]]).update(recipe=RECIPE + 7)
    return made


class TestRebuildImages:
    def test_says_what_it_would_do_and_does_nothing(self, three: list[Image]) -> None:
        assert "2 to be made anew" in run("--dry-run")
        assert "3 to be made anew" in run("--dry-run", "--all")
        assert Image.objects.made_by_older(RECIPE).count() == 2

    def test_makes_those_of_another_recipe_and_then_has_nothing_left(self, three: list[Image]) -> None:
        assert "2 made anew" in run()
        assert not Image.objects.made_by_older(RECIPE).exists()
        assert "0 made anew" in run()

    def test_goes_on_from_a_number(self, three: list[Image]) -> None:
        assert "1 made anew" in run("--from", str(three[1].pk))
        assert Image.objects.made_by_older(RECIPE).get() == three[0]

    def test_goes_on_past_one_that_cannot_and_fails_at_the_end(self, three: list[Image]) -> None:
        default_storage.delete(three[0].original.key)
        with pytest.raises(CommandError, match="1 made anew, 1 not"):
            run()
        assert Image.objects.made_by_older(RECIPE).get() == three[0]
