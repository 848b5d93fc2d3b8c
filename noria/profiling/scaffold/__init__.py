"""The first version of a use-case file, from a table alone."""

from noria.profiling.scaffold.proposal import Proposal, propose

__all__ = ["Proposal", "propose"]
