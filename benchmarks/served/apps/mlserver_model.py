"""The pipeline as a runtime of MLServer, in its own process; MLServer gathers requests into batches."""

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, PandasCodec
from mlserver.types import InferenceRequest, InferenceResponse

from benchmarks.served.apps.pipeline import ServedPipeline


class PipelineModel(MLModel):  # type: ignore[misc]
    """One model of the repository."""

    async def load(self) -> bool:
        """Make the pipeline ready."""
        self._served = ServedPipeline()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """The probabilities of a batch."""
        table = self._served.typed(self.decode_request(payload, default_codec=PandasCodec))
        found = np.array(self._served.probabilities(table))
        return InferenceResponse(model_name=self.name, outputs=[NumpyCodec.encode_output("predictions", found)])
