"""A month of Finance's files for a club that does not exist, with the errors that Finance makes.

    python -m tests.documents.corpus FOLDER --members 828 --seed 1

``manifest.json`` beside the files says what is expected of every page, member of an archive and row.
The same arguments give the same content.
"""
