"""Whether one JSON Schema accepts all that another accepts: yes, no with a witness, or "cannot tell"."""

from troth.contracts.schema.answers import ABSENT, Absent, Answer, Bounds, Containment, Dialect, Difference, Json
from troth.contracts.schema.containment import contained, same_meaning

__all__ = [
    "ABSENT",
    "Absent",
    "Answer",
    "Bounds",
    "Containment",
    "Dialect",
    "Difference",
    "Json",
    "contained",
    "same_meaning",
]
