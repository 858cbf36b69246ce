"""MLflow: `python mlflow_echo.py FOLDER` saves the model that `mlflow models serve -m FOLDER` serves with its defaults."""

from __future__ import annotations

import sys
from typing import Any

import mlflow.pyfunc


class Echo(mlflow.pyfunc.PythonModel):
    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        """The value that was sent."""
        return model_input


if __name__ == "__main__":
    mlflow.pyfunc.save_model(sys.argv[1], python_model=Echo(), pip_requirements=[])
