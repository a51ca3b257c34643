"""ClickMask under Label Studio's own runner: ``label-studio-ml start plugin/runner``.

The backend's own server (``clickmask backend``) needs none of this. The two files here serve
people who already run their backends with ``label-studio-ml``, 1.0.9 or 2.x.
"""
