"""Annotation files of other tools, read into and written from one neutral stream of records.

``records`` holds what every format shares, ``registry`` the table of format names,
``label_studio`` the regions of Label Studio, and every other module one format.
"""
