"""The labeling app: Gradio serves it, ``decoder`` does the work. Knows nothing of Label Studio's server."""
