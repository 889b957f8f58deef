"""Content-addressed files, long jobs, and sealed PDFs. May import: slices up to signing.

`verify` and its outcome need neither Django nor a database: auditors run them.
"""
