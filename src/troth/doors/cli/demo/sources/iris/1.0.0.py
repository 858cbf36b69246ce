from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

MEASURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")


def load():
    """Learns the species of irises from Fisher's measurements, which scikit-learn carries."""
    flowers = load_iris()
    model = LogisticRegression(max_iter=1000).fit(flowers.data, flowers.target)
    return model, flowers.target_names


def apply(input, state):
    """{"sepal_length": cm, ...} -> {"species": name, "probabilities": {name: p}}"""
    model, names = state
    probabilities = model.predict_proba([[input[measure] for measure in MEASURES]])[0]
    return {
        "species": str(names[probabilities.argmax()]),
        "probabilities": {str(name): round(float(p), 3) for name, p in zip(names, probabilities)},
    }
