"""The demonstration: a story of three algorithms, told by what a real server does and checked line by line."""
