"""Thin commands: parse, call one public function, print."""
