"""What a query may cost before anything is read, in counts that are the same on every machine."""

from __future__ import annotations

#: expressions inside each other
DEEPEST = 40
#: operators, values and names together
MOST_PARTS = 2_000
#: queries inside each other, the outermost one too
MOST_QUERIES = 8
#: values of one array
MOST_VALUES = 1_000
#: characters of one value, and of a whole query
LONGEST_VALUE, LONGEST_QUERY = 2_000, 100_000
#: characters of a regular expression, and of what it is once its counts are written out
LONGEST_PATTERN, LARGEST_PATTERN = 500, 1_000
MOST_ORDERS = 8
