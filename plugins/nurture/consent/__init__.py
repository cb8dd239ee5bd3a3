"""Who may be written to: what the law of a region asks for, decisions with their basis, changes in the CRM by the hour."""
