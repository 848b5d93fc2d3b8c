"""Tables as Parquet."""

from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.metadata.metadata_types import MetadataType

_SHOWN_ROWS = 100


class TableMaterializer(BaseMaterializer):
    """A pandas table as one Parquet file, compressed with zstd level 1 (fast, and as small as gzip)."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (pd.DataFrame,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA

    def save(self, data: pd.DataFrame) -> None:
        """Write the table with its index."""
        table = pa.Table.from_pandas(data)
        # measured amounts seldom repeat: looking for repetitions takes longer than it saves
        repeated = [field.name for field in table.schema if not pa.types.is_floating(field.type)]
        with self.artifact_store.open(self._file, "wb") as file:
            pq.write_table(table, file, compression="zstd", compression_level=1, use_dictionary=repeated)

    def load(self, data_type: type[Any]) -> pd.DataFrame:
        """Read the table."""
        with self.artifact_store.open(self._file, "rb") as file:
            table: pd.DataFrame = pq.read_table(file).to_pandas()
            return table

    def save_visualizations(self, data: pd.DataFrame) -> dict[str, VisualizationType]:
        """The first rows and a summary of the columns, for the dashboard."""
        path = f"{self.uri}/preview.html"
        summary = pd.DataFrame({"type": data.dtypes.astype(str), "missing": data.isna().sum()})
        page = (
            f"<p>{len(data):,} rows, {data.shape[1]} columns; the first {min(len(data), _SHOWN_ROWS)} rows:</p>"
            f"{data.head(_SHOWN_ROWS).to_html(index=False)}<h3>Columns</h3>{summary.to_html()}"
        )
        with self.artifact_store.open(path, "w") as file:
            file.write(page)
        return {path: VisualizationType.HTML}

    def extract_metadata(self, data: pd.DataFrame) -> dict[str, MetadataType]:
        """Rows and columns."""
        return {"rows": len(data), "columns": data.shape[1]}

    @property
    def _file(self) -> str:
        return f"{self.uri}/table.parquet"
