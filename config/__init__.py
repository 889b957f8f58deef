"""The Django project: settings, URLs and the site. The only place that may import every app."""
