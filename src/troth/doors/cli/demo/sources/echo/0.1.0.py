def apply(input):
    """Answers with what it was asked."""
    return input
