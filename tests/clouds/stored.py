"""What the pipelines keep, written to an artifact store and read back."""

from typing import Any

import pandas as pd

from noria.bundle import Bundle
from noria.reporting.html_report import HtmlReport


def write_and_read(store: Any, folder: str, bundle: Bundle) -> None:
    """Each kind of artifact comes back as it was; raises AssertionError if one does not."""
    from materializers.bundle import BundleMaterializer
    from materializers.report import ReportMaterializer
    from materializers.table import TableMaterializer

    table = pd.DataFrame({"tenure": range(50_000), "contract": ["monthly", None] * 25_000})
    kept = TableMaterializer(f"{folder}/table", store)
    kept.save(table)
    pd.testing.assert_frame_equal(kept.load(pd.DataFrame), table)
    report = ReportMaterializer(f"{folder}/report", store)
    report.save(HtmlReport(title="Ünder", html="<p>50 €</p>"))
    assert report.load(HtmlReport) == HtmlReport(title="Ünder", html="<p>50 €</p>")
    models = BundleMaterializer(f"{folder}/bundle", store)
    models.save(bundle)
    again = models.load(Bundle)
    assert again.manifest == bundle.manifest
    assert sorted(each.name for each in again.folder.iterdir()) == sorted(each.name for each in bundle.folder.iterdir())
    assert store.exists(f"{folder}/report") and not store.exists(f"{folder}/nothing")
