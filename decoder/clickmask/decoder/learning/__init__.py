"""Learning from accepted objects: a small adapter on the mask decoder, that is used only if it helps.

An adapter is a value; a model with one is a model like any other, and every embedding stays valid.
"""
