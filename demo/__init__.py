"""The worked example, made through domain verbs only."""
