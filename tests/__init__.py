"""Tests by behaviour; they mirror the apps."""
