"""The shell every page is shown in: base pages, tables, charts, forms, CSP. Knows no domain; imports nothing of ours."""
