"""Archives of the club: one file with the database, the stored files and a manifest of both.

``manifest`` and ``naming`` are pure. ``container`` is the file, ``sqlite`` and ``postgres`` know their
engine, ``backup``, ``verify`` and ``restore`` are what the three commands do.
"""
