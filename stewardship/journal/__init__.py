"""Every governed write, in a tamper-evident, append-only log with signed checkpoints. May import: config.portal."""
