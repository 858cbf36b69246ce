"""Proof that the tests of each clause can fail: the code that keeps a clause is broken, and a marked test has to notice.

Mutants are applied from here, by replacing parts of the product in the process of the tests; the product knows nothing of it.
"""
