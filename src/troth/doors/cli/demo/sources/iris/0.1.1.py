from typing import TypedDict

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression


class Species(TypedDict):
    species: str


def load():
    """Learns the species of irises from Fisher's measurements, which scikit-learn carries."""
    flowers = load_iris()  # all of them: the first hundred hold two of the three species only
    model = LogisticRegression(max_iter=1000).fit(flowers.data, flowers.target)
    return model, flowers.target_names


def apply(input: list[float], state) -> Species:
    """[sepal length, sepal width, petal length, petal width] in cm -> {"species": name}"""
    model, names = state
    return {"species": str(names[model.predict([input])[0]])}
