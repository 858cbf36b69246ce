"""MLServer with one worker, as its own example of custom JSON is written: the value travels as text inside a tensor."""

from __future__ import annotations

import json

from mlserver import MLModel
from mlserver.codecs import StringCodec
from mlserver.types import InferenceRequest, InferenceResponse, Parameters, ResponseOutput


class Echo(MLModel):
    async def load(self) -> bool:
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The value that was sent."""
        value = json.loads(StringCodec.decode_input(payload.inputs[0])[0])
        data = [json.dumps(value).encode()]
        output = ResponseOutput(
            name="result", shape=[1], datatype="BYTES", data=data, parameters=Parameters(content_type="str")
        )
        return InferenceResponse(id=payload.id, model_name=self.name, model_version=self.version, outputs=[output])
