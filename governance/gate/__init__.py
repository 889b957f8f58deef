"""May this version go there? Yes, no or undecided, why, and a permit. Imports approvals, changes, policies and the floors below."""
