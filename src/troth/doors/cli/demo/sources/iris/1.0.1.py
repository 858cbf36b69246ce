from typing import TypedDict

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Measures(TypedDict):
    sepal_length: float
    petal_length: float
    petal_width: float


class Species(TypedDict):
    species: str
    probabilities: dict[str, float]


def load():
    """Learns the species of irises from Fisher's measurements, which scikit-learn carries."""
    flowers = load_iris()
    model = LogisticRegression(max_iter=1000).fit(flowers.data[:, [0, 2, 3]], flowers.target)
    return model, flowers.target_names


def apply(input: Measures, state) -> Species:
    """{"sepal_length": cm, ...} -> {"species": name, "probabilities": {name: p}}"""
    model, names = state
    probabilities = model.predict_proba([[input[measure] for measure in Measures.__annotations__]])[0]
    return {
        "species": str(names[probabilities.argmax()]),
        "probabilities": {str(name): round(float(p), 3) for name, p in zip(names, probabilities)},
    }
