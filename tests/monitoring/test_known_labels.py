"""Which labels of a regression count."""

import numpy as np
import pandas as pd

from noria.bundle import Bundle
from noria.monitoring.logged_predictions import known_labels


def test_numbers_that_training_would_set_aside_are_no_labels(bike_bundle: Bundle) -> None:
    labelled = pd.DataFrame({"label": [12, 1e300, -1e39, np.inf, np.nan, "7.5", "many"]})
    assert known_labels(bike_bundle.manifest, labelled)["label"].tolist() == [12.0, 7.5]
