"""What somebody asks to change, exactly, and why. Imports policies, risk, evidence and the floors below."""
