"""Long work in shards: what is finished stays, whoever computes it and whenever it is stopped."""

from exprimo.scoring.shards.folder import JoinedShards, ShardFolder
from exprimo.scoring.shards.run import ExecutorName, run_shards
from exprimo.scoring.shards.work import Plan, Worker, register_work

__all__ = [
    "ExecutorName",
    "JoinedShards",
    "Plan",
    "ShardFolder",
    "Worker",
    "register_work",
    "run_shards",
]
