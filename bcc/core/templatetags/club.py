"""What the pages of the back office know of the club."""

from django import template
from django.conf import settings

register = template.Library()


@register.simple_tag
def club_name() -> str:
    return str(settings.CLUB_NAME)
