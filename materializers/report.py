"""Reports as HTML pages that the dashboard shows."""

import json
from typing import Any, ClassVar

from zenml.enums import ArtifactType, VisualizationType
from zenml.materializers.base_materializer import BaseMaterializer

from noria.reporting.html_report import HtmlReport


class ReportMaterializer(BaseMaterializer):
    """A report as `report.html` beside its title."""

    ASSOCIATED_TYPES: ClassVar[tuple[type[Any], ...]] = (HtmlReport,)
    ASSOCIATED_ARTIFACT_TYPE: ClassVar[ArtifactType] = ArtifactType.DATA_ANALYSIS

    def save(self, data: HtmlReport) -> None:
        """Write the page and its title."""
        with self.artifact_store.open(self._page, "w") as file:
            file.write(data.html)
        with self.artifact_store.open(f"{self.uri}/report.json", "w") as file:
            json.dump({"title": data.title}, file)

    def load(self, data_type: type[Any]) -> HtmlReport:
        """Read the page and its title."""
        with self.artifact_store.open(self._page, "r") as file:
            html = file.read()
        with self.artifact_store.open(f"{self.uri}/report.json", "r") as file:
            return HtmlReport(title=json.load(file)["title"], html=html)

    def save_visualizations(self, data: HtmlReport) -> dict[str, VisualizationType]:
        """The page itself, for the dashboard."""
        return {self._page: VisualizationType.HTML}

    @property
    def _page(self) -> str:
        return f"{self.uri}/report.html"
