"""Pictures that nobody trusts: what they are, and the clean variants made of them.

Runs in a child of ``documents.isolation``: nothing here knows Django. ``work.make`` is the function that
the child runs; ``containers`` is also used by the parent, which believes a child no more than a stranger.
"""
