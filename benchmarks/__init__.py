"""Ratios measured side by side in one run; never asserted as times in tests."""
