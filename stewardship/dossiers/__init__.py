"""The living dossier of a model, from a template, in revisions. May import: every slice of this floor."""
