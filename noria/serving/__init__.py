"""The fast path: typed requests in, predictions out, with NumPy and ONNX Runtime only.

Its numbers equal those of the plain path to 1e-6; models that it cannot represent use the plain path.
"""
