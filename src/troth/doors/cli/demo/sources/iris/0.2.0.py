from typing import TypedDict

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Species(TypedDict):
    species: str
    probabilities: dict[str, float]


def load():
    """Learns the species of irises from Fisher's measurements, which scikit-learn carries."""
    flowers = load_iris()
    model = LogisticRegression(max_iter=1000).fit(flowers.data, flowers.target)
    return model, flowers.target_names


def apply(input: list[float], state) -> Species:
    """[sepal length, sepal width, petal length, petal width] in cm -> {"species": name, "probabilities": {name: p}}"""
    model, names = state
    probabilities = model.predict_proba([input])[0]
    return {
        "species": str(names[probabilities.argmax()]),
        "probabilities": {str(name): round(float(p), 3) for name, p in zip(names, probabilities)},
    }
