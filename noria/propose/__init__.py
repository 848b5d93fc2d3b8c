"""The first version of a use-case file, from a table alone."""

from noria.propose.proposal import Proposal, propose

__all__ = ["Proposal", "propose"]
