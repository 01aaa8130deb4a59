from django.contrib import admin

from bcc.core.backoffice import ReadOnlyModelAdmin
from metrics.models import Activity


@admin.register(Activity)
class ActivityAdmin(ReadOnlyModelAdmin[Activity]):
    list_display = ("at", "name", "about_on", "properties", "actor_hash")
    list_filter = ("name", "about_on")
    ordering = ("-at", "-pk")
