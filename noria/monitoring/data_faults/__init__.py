"""Faults of the delivered data, recognised from the values and distinguished from a world that changed.

A fault is answered by those who deliver the data, never by training again.
"""

from noria.monitoring.data_faults.fault import ADVICE, DataFault, FaultKind
from noria.monitoring.data_faults.feed import Arrivals
from noria.monitoring.data_faults.find import find_data_faults, merge_faults
from noria.monitoring.data_faults.rows import Rows, read_rows

__all__ = ["ADVICE", "Arrivals", "DataFault", "FaultKind", "Rows", "find_data_faults", "merge_faults", "read_rows"]
