"""A call: from the text of a reference and a key to an answer, without database, disk or parsing of bodies."""
