"""Who must agree to a change, by when, and what they decided. Imports changes, policies, risk, evidence and the floors below."""
