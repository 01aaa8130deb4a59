#!/usr/bin/env python
"""The club's commands; development settings unless DJANGO_SETTINGS_MODULE says otherwise."""

import os
import sys

from django.core.management import execute_from_command_line


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bcc.settings.development")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
