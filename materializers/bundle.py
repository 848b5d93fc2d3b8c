"""Model bundles as folders, checked again when they are read."""

from pathlib import Path
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer
from zenml.metadata.metadata_types import MetadataType

from noria.bundle import Bundle
from noria.system.files import scratch_folder


class BundleMaterializer(BaseMaterializer):
    """The bundle's folder file by file; reading it verifies every checksum."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (Bundle,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.MODEL

    def save(self, data: Bundle) -> None:
        """Copy the bundle's files to the artifact store."""
        self.artifact_store.makedirs(self._folder)
        for source in data.folder.iterdir():
            with source.open("rb") as local, self.artifact_store.open(f"{self._folder}/{source.name}", "wb") as remote:
                remote.write(local.read())

    def load(self, data_type: type[Any]) -> Bundle:
        """Copy the files to a temporary folder, gone when the process ends, and open the bundle there."""
        folder = scratch_folder()
        for name in self.artifact_store.listdir(self._folder):
            file_name = Path(name).name
            with self.artifact_store.open(f"{self._folder}/{file_name}", "rb") as remote:
                (folder / file_name).write_bytes(remote.read())
        return Bundle.load(folder)

    def save_visualizations(self, data: Bundle) -> dict[str, VisualizationType]:
        """The manifest, for the dashboard."""
        path = f"{self.uri}/manifest.md"
        with self.artifact_store.open(path, "w") as file:
            file.write(f"```json\n{data.manifest.model_dump_json(indent=2, by_alias=True)}\n```\n")
        return {path: VisualizationType.MARKDOWN}

    def extract_metadata(self, data: Bundle) -> dict[str, MetadataType]:
        """Kind, version and test metrics."""
        manifest = data.manifest
        return {"kind": manifest.kind, "version": manifest.version, **{k: m.value for k, m in manifest.metrics.items()}}

    @property
    def _folder(self) -> str:
        return f"{self.uri}/bundle"
