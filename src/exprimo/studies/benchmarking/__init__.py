"""Benchmarks: plan, run, tables."""

from exprimo.studies.benchmarking.config import BenchmarkConfig, ComparisonConfig
from exprimo.studies.benchmarking.run import Benchmarked, read_benchmark, run_benchmark

__all__ = [
    "BenchmarkConfig",
    "Benchmarked",
    "ComparisonConfig",
    "read_benchmark",
    "run_benchmark",
]
