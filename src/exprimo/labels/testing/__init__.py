"""Tests of fitted genes: alternatives, adjustment for many tests, the table of results."""
