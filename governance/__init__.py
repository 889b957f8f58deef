"""Top floor: what may change, who agreed, and the proof of it. May import every floor below."""
