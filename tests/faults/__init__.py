"""Fault injection for the push: random schedules of crashes, lost answers and withdrawals, and what must hold after each."""
