"""Find similar: from some objects of one kind propose the others, each with the chance that it is one of them."""

from clickmask.decoder.similar.examples import Example, Kind, describe
from clickmask.decoder.similar.find import SimilarObject, find_similar

__all__ = ["Example", "Kind", "SimilarObject", "describe", "find_similar"]
