"""Two at the same moment. What the locks and constraints promise, on the database that the tests run on.

A test called `control` runs the naive program in the same situation and shows that there it goes wrong: otherwise
the test beside it would prove nothing.
"""
