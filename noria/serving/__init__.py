"""The fast path: typed requests in, answers out, with NumPy and ONNX Runtime alone.

It gives the numbers that the plain path gives, to 1e-6; where it can not represent a model, there is none and the
plain path answers.
"""
