"""Which small mistakes does numerical code suffer? Each as a change of its tree."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARED = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
COMPUTED = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.MatMult: None,
    ast.Mod: None,
    ast.Pow: ast.Mult,
}
RENAMED = {
    "min": "max",
    "max": "min",
    "argmin": "argmax",
    "argmax": "argmin",
    "any": "all",
    "all": "any",
    "sum": "mean",
    "mean": "sum",
    "floor": "ceil",
    "ceil": "floor",
    "minimum": "maximum",
    "maximum": "minimum",
    "zeros": "ones",
    "zeros_like": "ones_like",
    "round": "int",
    "rint": "floor",
    "union1d": "intersect1d",
}
# Dropped, they leave a value of another type and the same number.
CASTS = frozenset({"float", "int", "bool", "str", "list", "tuple", "dict", "print"})
NEVER_DROPPED = CASTS | {"len", "range", "zip", "enumerate", "isinstance"}
SYMMETRIC = frozenset({"min", "max", "minimum", "maximum"})


@dataclass(frozen=True)
class Mutant:
    """One change of one place.

    Attributes:
        line: Number of the line in the module, from 1.
        before: The changed expression as it was.
        after: As it is now.
        tree: The whole module, changed.
    """

    line: int
    before: str
    after: str
    tree: ast.Module

    def __str__(self) -> str:
        return f"{self.line}: {self.before}  ->  {self.after}"


def mutants(source: str) -> list[Mutant]:
    """Make every mutant of a module.

    Args:
        source: The module's text.

    Returns:
        The mutants in the order of their places.
    """
    tree = ast.parse(source)
    places = [node for node in ast.walk(tree) if hasattr(node, "lineno")]
    skipped = _skipped(tree)
    found = []
    for number, node in enumerate(places):
        if id(node) in skipped:
            continue
        for change in _changes(node):
            changed = copy.deepcopy(tree)
            place = [each for each in ast.walk(changed) if hasattr(each, "lineno")]
            target = place[number]
            change_to = change(target)
            _replace(changed, target, change_to)
            ast.fix_missing_locations(changed)
            before, after = ast.unparse(node), ast.unparse(change_to)
            if before != after:
                found.append(
                    Mutant(node.lineno, _short(before), _short(after), changed)
                )
    return sorted(found, key=lambda mutant: (mutant.line, mutant.before, mutant.after))


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= 100 else line[:97] + "..."


def _skipped(tree: ast.Module) -> set[int]:
    """What is no computation: annotations, texts of errors, docstrings, decorators."""
    return {
        id(each)
        for node in ast.walk(tree)
        for part in _parts_to_skip(node)
        if part is not None
        for each in ast.walk(part)
    }


def _parts_to_skip(node: ast.AST) -> Iterator[ast.AST | None]:
    if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
        yield from node.decorator_list
    if isinstance(node, ast.FunctionDef):
        yield node.returns
    elif isinstance(node, (ast.arg, ast.AnnAssign)):
        yield node.annotation
    elif isinstance(node, ast.Raise):
        yield node.exc
    elif (
        (isinstance(node, ast.keyword) and node.arg == "strict")
        or isinstance(node, (ast.JoinedStr, ast.Import, ast.ImportFrom, ast.Assert))
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    ):
        yield node


def _changes(node: ast.AST) -> Iterator[Any]:
    """Functions from a node to the one that takes its place."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        for operator in COMPARED.get(type(node.ops[0]), ()):
            yield lambda it, operator=operator: _with(it, ops=[operator()])
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        yield from _computed(node)
    elif isinstance(node, ast.BoolOp):
        other = ast.Or if isinstance(node.op, ast.And) else ast.And
        yield lambda it: _with(it, op=other())
    elif isinstance(node, ast.UnaryOp):
        yield lambda it: it.operand
    elif isinstance(node, ast.Constant):
        yield from _constant(node.value)
    elif isinstance(node, ast.IfExp):
        yield lambda it: _with(it, body=it.orelse, orelse=it.body)
    elif isinstance(node, ast.Call):
        yield from _call(node)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield lambda it: ast.copy_location(ast.Pass(), it)


def _computed(node: ast.BinOp | ast.AugAssign) -> Iterator[Any]:
    left = node.left if isinstance(node, ast.BinOp) else None
    if isinstance(left, ast.Constant) and isinstance(left.value, str):
        return
    operator = COMPUTED.get(type(node.op))
    if operator is not None:
        yield lambda it: _with(it, op=operator())
    elif isinstance(node, ast.BinOp):
        yield lambda it: it.left


def _constant(value: object) -> Iterator[Any]:
    if isinstance(value, bool):
        yield lambda it: _with(it, value=not value)
    elif isinstance(value, int):
        yield lambda it: _with(it, value=value + 1)
        if value:
            yield lambda it: _with(it, value=value - 1)
    elif isinstance(value, float) and value:
        yield lambda it: _with(it, value=value * 1.5)


def _call(node: ast.Call) -> Iterator[Any]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else None
    if isinstance(node.func, ast.Name):
        name = node.func.id
    if name in RENAMED:
        other = RENAMED[name]
        if isinstance(node.func, ast.Attribute):
            yield lambda it: _with(it, func=_with(it.func, attr=other))
        else:
            yield lambda it: _with(it, func=_with(it.func, id=other))
    plain = [each for each in node.args if not isinstance(each, ast.Starred)]
    if len(plain) >= 2 and name not in SYMMETRIC and plain == node.args[: len(plain)]:
        yield lambda it: _with(it, args=[it.args[1], it.args[0], *it.args[2:]])
    of_own = isinstance(node.func, ast.Name) and node.func.id[0].islower()
    if node.args and of_own and name not in NEVER_DROPPED:
        yield lambda it: it.args[0]


def _with(node: Any, **fields: Any) -> Any:
    changed = copy.copy(node)
    for name, value in fields.items():
        setattr(changed, name, value)
    return changed


def _replace(tree: ast.Module, old: ast.AST, new: ast.AST) -> None:
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is old:
                setattr(parent, name, new)
                return
            if isinstance(value, list):
                for position, each in enumerate(value):
                    if each is old:
                        value[position] = new
                        return
