"""Finance's files, read: names, archives, tables and PDFs. No ORM, no settings, no Django in the children.

Each module raises ``documents.isolation.Refusal`` for a file that is not what it must be; ``codes`` lists
every code. What decodes somebody's bytes with a large library (PDFs, XLSX) runs in a child.
"""
