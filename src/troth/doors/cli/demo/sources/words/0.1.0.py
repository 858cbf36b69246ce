from collections import Counter


def apply(input):
    """Counts the words of a text, most frequent first."""
    words = [word.strip(".,;:!?()").lower() for word in input.split()]
    return Counter(word for word in words if word).most_common()
