"""A tree of haplotypes in arrays, and what the walk along a chromosome does to it; compiled.

Leaves are nodes 0 to n - 1, inner nodes n to 2n - 2. A tree is a tuple of arrays over nodes:
``time`` (0 for leaves), ``parent`` (-1 for the root), ``left`` and ``right`` child (-1 for
leaves), ``group`` (of a node younger than the split; else -1), and ``order``, shape (n - 1,): the
inner nodes from the youngest to the oldest. The branch of a node is the one above it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from exprimo.core.compiled import compiled

# The arrays of a tree, as above; numba knows their types.
Tree = Any
# Two groups that are apart have half the size of the population that they come from.
RATE_APART = 2.0


@compiled
def first_tree(rng: Any, groups: Any, split: float) -> Tree:
    """Draw a coalescent of the haplotypes, with their groups apart until ``split``."""
    n = groups.size
    time, parent = np.zeros(2 * n - 1), np.full(2 * n - 1, -1, np.int64)
    left, right = np.full(2 * n - 1, -1, np.int64), np.full(2 * n - 1, -1, np.int64)
    group, order = np.full(2 * n - 1, -1, np.int64), np.arange(n, 2 * n - 1)
    active = np.arange(n)
    if split > 0:
        group[:n] = groups
    now, made = 0.0, n
    while made < 2 * n - 1:
        lineages = active.size
        apart = now < split
        first = 0
        if apart:
            for node in active:
                first += group[node] == 0
        second = lineages - first
        rate_first = first * (first - 1) / 2.0
        rate = rate_first + second * (second - 1) / 2.0
        rate *= RATE_APART if apart else 1.0
        step = np.inf if rate == 0 else rng.standard_exponential() / rate
        if apart and now + step >= split:
            now = split
            continue
        now += step
        chosen = -1
        among = lineages
        if apart:
            chosen = 0 if rng.random() * rate < RATE_APART * rate_first else 1
            among = first if chosen == 0 else second
        one = int(rng.random() * among)
        other = int(rng.random() * (among - 1))
        other += other >= one
        nodes = np.empty(2, np.int64)
        seen = 0
        for node in active:
            if chosen >= 0 and group[node] != chosen:
                continue
            if seen == one:
                nodes[0] = node
            if seen == other:
                nodes[1] = node
            seen += 1
        time[made], left[made], right[made], group[made] = now, nodes[0], nodes[1], chosen
        parent[nodes[0]] = parent[nodes[1]] = made
        kept = active[(active != nodes[0]) & (active != nodes[1])]
        active = np.append(kept, made)
        made += 1
    return time, parent, left, right, group, order


@compiled
def total_length(tree: Tree) -> float:
    """Sum the lengths of all branches."""
    time, order = tree[0], tree[5]
    # An inner node of age t ends two branches and begins one, but for the root.
    total: float = time[order[-1]]
    for node in order:
        total += time[node]
    return total


@compiled
def pick_branch(rng: Any, tree: Tree, total: float) -> tuple[int, float]:
    """Choose a point of the tree uniformly: the branch's node, and the time."""
    time, parent = tree[0], tree[1]
    left_over = rng.random() * total
    found, when = 0, 0.0
    for node in range(time.size):
        if parent[node] < 0:
            continue
        found, length = node, time[parent[node]] - time[node]
        when = time[node] + min(left_over, length)
        if left_over < length:
            break
        left_over -= length
    return found, when


@compiled
def clade_sizes(tree: Tree) -> Any:
    """Count the leaves under each node."""
    left, right, order = tree[2], tree[3], tree[5]
    sizes = np.ones(left.size, np.int64)
    for node in order:
        sizes[node] = sizes[left[node]] + sizes[right[node]]
    return sizes


@compiled
def pick_branch_of_size(rng: Any, tree: Tree, sizes: Any, low: int, high: int) -> int:
    """Choose among the branches with ``low`` to ``high`` leaves, by length; -1: there is none."""
    time, parent = tree[0], tree[1]
    total = 0.0
    for node in range(time.size):
        if parent[node] >= 0 and low <= sizes[node] <= high:
            total += time[parent[node]] - time[node]
    left_over = rng.random() * total
    found = -1
    for node in range(time.size):
        if parent[node] >= 0 and low <= sizes[node] <= high:
            found = node
            left_over -= time[parent[node]] - time[node]
            if left_over < 0:
                break
    return found


@compiled
def leaves_under(tree: Tree, node: int, row: Any) -> None:
    """Set ``row``, shape (leaves,), to 1 at each leaf under a node."""
    left, right = tree[2], tree[3]
    stack = np.empty(left.size, np.int64)
    stack[0] = node
    depth = 1
    while depth > 0:
        depth -= 1
        here = stack[depth]
        if left[here] < 0:
            row[here] = 1
        else:
            stack[depth] = left[here]
            stack[depth + 1] = right[here]
            depth += 2


@compiled
def _older(time: Any, order: Any, now: float) -> int:
    """Find the first inner node, in order of age, that is older than a time."""
    low, high = 0, order.size
    while low < high:
        middle = (low + high) // 2
        if time[order[middle]] > now:
            high = middle
        else:
            low = middle + 1
    return low


@compiled
def _lineage(tree: Tree, now: float, own: int, wanted: int) -> tuple[int, int]:
    """Count the lineages of a group at a time (``own`` -1: of both), and give one by number.

    They hang from the older nodes, which are few but for the most recent times.
    """
    time, _, left, right, group, order = tree
    first = _older(time, order, now)
    if first == order.size:
        return 1, order[first - 1]
    count, found = 0, -1
    for at in range(first, order.size):
        for node in (left[order[at]], right[order[at]]):
            if time[node] <= now and (own < 0 or group[node] == own):
                if count == wanted:
                    found = node
                count += 1
    return count, found


@compiled
def _meeting_time(rng: Any, tree: Tree, start: float, own: int, split: float) -> float:
    """Draw when a lineage that floats from ``start`` coalesces with a lineage of the tree."""
    time, group, order = tree[0], tree[4], tree[5]
    lineages = _lineage(tree, start, own, 0)[0]
    now, at = start, _older(time, order, start)
    while True:
        while at < order.size and time[order[at]] < split and group[order[at]] != own:
            at += 1
        older = time[order[at]] if at < order.size else np.inf
        apart = now < split
        rate = RATE_APART * lineages if apart else lineages
        drawn = now + rng.standard_exponential() / rate if lineages else np.inf
        if drawn < (min(older, split) if apart else older):
            return drawn
        if apart and split <= older:
            now = split
            # From here on the lineages of both groups are met.
            lineages = 1 + order.size - _older(time, order, split)
        else:
            now = older
            lineages -= 1
            at += 1


@compiled
def regraft(rng: Any, tree: Tree, total: float, split: float) -> None:
    """Cut the tree at a random point and let the lineage below coalesce anew, in place."""
    time, parent, left, right, group, order = tree
    cut, start = pick_branch(rng, tree, total)
    when = _meeting_time(rng, tree, start, group[cut] if start < split else -1, split)
    own = group[cut] if when < split else -1
    among = _lineage(tree, when, own, 0)[0]
    target = _lineage(tree, when, own, int(rng.random() * among))[1]
    if target == cut:
        return
    joint = parent[cut]
    sibling = left[joint] + right[joint] - cut
    if target == joint:
        target = sibling
    _hang(parent, left, right, joint, sibling, parent[joint])
    above = parent[target]
    _hang(parent, left, right, target, joint, above)
    left[joint], right[joint] = target, cut
    parent[target] = parent[cut] = joint
    at = 0
    while order[at] != joint:
        at += 1
    time[joint] = when
    group[joint] = own
    while at > 0 and time[order[at - 1]] > when:
        order[at] = order[at - 1]
        at -= 1
    while at < order.size - 1 and time[order[at + 1]] < when:
        order[at] = order[at + 1]
        at += 1
    order[at] = joint


@compiled
def _hang(parent: Any, left: Any, right: Any, old: int, new: int, above: int) -> None:
    """Put ``new`` where ``old`` hung from ``above`` (-1: nothing is above)."""
    parent[new] = above
    if above < 0:
        return
    if left[above] == old:
        left[above] = new
    else:
        right[above] = new
