"""
Small faults, made from the source itself: each is one change of one expression or statement.

What is changed, wherever it stands:

    comparison       its boundary moved, turned round
    and, or, not     exchanged, one side left out, the negation left out
    condition        always true, always false
    number           one more, one less; beyond 100 doubled and halved
    name in quotes   another one, such as a key of JSON
    arithmetic       the opposite operator, the sign left out
    min, max         exchanged; a call that bounds or converts does nothing
    keyword          left out of a call
    return           None instead of the value
    statement        a call, a raise, an assignment to an attribute, a jump: left out
    except           catches nothing

Left alone: docstrings, messages, annotations, decorators, `assert` (it guards against
our own bugs), `__all__`, failpoints, and the inside of f-strings. What such a change does is
judged by the tests alone; nothing here knows what a module is for.
"""

from __future__ import annotations

import ast
import copy
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Mutant", "mutants_of"]

SMALL = 100
"""Up to here a number is a count or an index, and one more or less is a fault. Beyond it
is a size or a time that somebody chose, and only another order of magnitude is one."""
_NAME_IN_QUOTES = re.compile(r"[a-z][a-z0-9_-]*")
_OF_TOOLS = re.compile(r"TYPE_CHECKING|failpoint\.")
_BARE_CALLS = frozenset({"min", "max", "abs", "round", "int", "float", "bool", "sorted", "replace"})
"""Calls that are also replaced by their first argument."""

_OPPOSITES: dict[type[ast.AST], tuple[type[ast.AST], ...]] = {
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
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.LShift: (ast.RShift,),
    ast.RShift: (ast.LShift,),
    ast.BitAnd: (ast.BitOr,),
    ast.BitOr: (ast.BitAnd,),
    ast.BitXor: (ast.BitAnd,),
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """
    One fault.

    Attributes:
        path: The file, from the root of the project.
        where: Class and function it lies in; empty at the top of the module.
        lines: First and last line of what is changed.
        statement: First and last line of the statement it belongs to, or of its head.
        name: The constant that is changed at the top of a module, else empty.
        old: The lines as they are, in one.
        new: As they become.
        start: Where the change begins, in bytes.
        end: Where it ends.
        text: What comes there.
        is_in_body: It runs when a function is called, not when the module is loaded.
    """

    path: str
    where: str
    lines: tuple[int, int]
    statement: tuple[int, int]
    name: str
    old: str
    new: str
    start: int
    end: int
    text: str
    is_in_body: bool

    @property
    def key(self) -> str:
        """What it is called in a list: survives a move of its function within the file."""
        return f"{self.path} | {self.where} | {self.old} | {self.new}"

    def planted(self, source: bytes) -> bytes:
        """Return the text of its file with the fault in it."""
        return source[: self.start] + self.text.encode() + source[self.end :]


def mutants_of(path: str, source: str) -> list[Mutant]:
    """Return every fault that can be made from a file, in the order of its text, each once."""
    walk = _Walk(path, source)
    walk.visit_body(ast.parse(source).body)
    return list({mutant.key: mutant for mutant in walk.found}.values())


@dataclass
class _Walk:
    """Goes through a module, and keeps in mind where it is."""

    path: str
    source: str
    found: list[Mutant] = field(default_factory=list)
    where: tuple[str, ...] = ()
    is_in_body: bool = False
    statement: tuple[int, int] = (1, 1)
    name: str = ""

    def __post_init__(self) -> None:
        self.raw = self.source.encode()
        self.line_starts = [0]
        for line in self.raw.splitlines(keepends=True):
            self.line_starts.append(self.line_starts[-1] + len(line))

    def visit_body(self, body: list[ast.stmt]) -> None:
        """Go through statements; a docstring is none."""
        for statement in body:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                continue
            if not isinstance(statement, ast.Assert | ast.Import | ast.ImportFrom) and not _is_label(
                statement
            ):
                self.visit_statement(statement)

    def visit_statement(self, statement: ast.stmt) -> None:
        """Go through one statement and what it contains."""
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            self.visit_definition(statement)
            return
        bodies = [getattr(statement, name, []) for name in ("body", "orelse", "finalbody")]
        cases = [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]
        is_compound = any(bodies) or bool(cases)
        self.statement = statement.lineno, statement.lineno if is_compound else statement.end_lineno
        self.name = _constant_name(statement) if not self.where else ""
        if _can_go(statement):
            self.add(statement, "pass")
        for child in ast.iter_child_nodes(statement):
            is_annotation = child is getattr(statement, "annotation", None)
            if isinstance(child, ast.expr | ast.withitem) and not is_annotation:
                self.visit_expression(child, statement)
        for body in bodies:
            self.visit_body(body)
        for case in cases:
            self.visit_case(case)

    def visit_definition(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        """Go through a function or a class."""
        before = self.where, self.is_in_body
        self.where = (*self.where, node.name)
        self.statement, self.name = (node.lineno, node.lineno), ""
        if not isinstance(node, ast.ClassDef):
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if default is not None:
                    self.visit_expression(default, node)
            self.is_in_body = True
        self.visit_body(node.body)
        self.where, self.is_in_body = before

    def visit_case(self, case: Any) -> None:
        """Go through an `except` or a `case`."""
        head = case.type if isinstance(case, ast.ExceptHandler) else case.guard
        if head is not None:
            self.statement = head.lineno, head.end_lineno or head.lineno
            if isinstance(case, ast.ExceptHandler):
                self.add(head, "()")
            else:
                self.visit_expression(head, case)
        self.visit_body(case.body)

    def visit_expression(self, node: ast.AST, parent: ast.AST) -> None:
        """Go through an expression; what changes in it is found from the outside in."""
        if isinstance(node, ast.JoinedStr):
            return
        if isinstance(node, ast.expr):
            for changed in _changes(node, parent):
                self.add(node, _as_text(changed))
        for child in ast.iter_child_nodes(node):
            self.visit_expression(child, node)

    def add(self, node: Any, text: str) -> None:
        """Note that the source of ``node`` may become ``text``."""
        start = self.line_starts[node.lineno - 1] + node.col_offset
        end = self.line_starts[node.end_lineno - 1] + node.end_col_offset
        first, behind = self.line_starts[node.lineno - 1], self.line_starts[node.end_lineno]
        old = self.raw[first:behind].decode()
        new = (self.raw[first:start] + text.encode() + self.raw[end:behind]).decode()
        lines = node.lineno, node.end_lineno
        where, in_one = ".".join(self.where), (" ".join(old.split()), " ".join(new.split()))
        if in_one[0] != in_one[1]:
            self.found.append(
                Mutant(
                    self.path,
                    where,
                    lines,
                    self.statement,
                    self.name,
                    *in_one,
                    start,
                    end,
                    text,
                    self.is_in_body,
                )
            )


def _constant_name(statement: ast.stmt) -> str:
    if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
        return statement.targets[0].id
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return statement.target.id
    return ""


def _is_label(statement: ast.stmt) -> bool:
    """Return whether a statement only says something to tools or to tests of another kind."""
    if isinstance(statement, ast.If):
        return _OF_TOOLS.search(ast.unparse(statement.test)) is not None
    if isinstance(statement, ast.Expr):
        return _OF_TOOLS.match(ast.unparse(statement)) is not None
    return _constant_name(statement) == "__all__"


def _can_go(statement: ast.stmt) -> bool:
    """Return whether a program without the statement still makes sense to Python."""
    if isinstance(statement, ast.Expr):
        return not isinstance(statement.value, ast.Yield | ast.YieldFrom)
    if isinstance(statement, ast.Assign):
        return not isinstance(statement.targets[0], ast.Name | ast.Tuple)
    if isinstance(statement, ast.Return):
        return statement.value is None
    return isinstance(statement, ast.AugAssign | ast.Raise | ast.Continue | ast.Break | ast.Delete)


def _as_text(node: ast.expr) -> str:
    plain = isinstance(node, ast.Constant | ast.Name | ast.Call | ast.Attribute | ast.Subscript)
    return ast.unparse(node) if plain else f"({ast.unparse(node)})"


def _changes(node: ast.expr, parent: ast.AST) -> Iterator[ast.expr]:
    """Yield what an expression may become."""
    is_value = isinstance(parent, ast.Return) and not (isinstance(node, ast.Constant) and node.value is None)
    if is_value:
        yield ast.Constant(None)
    is_test = node is getattr(parent, "test", None) or (
        isinstance(parent, ast.comprehension) and node in parent.ifs
    )
    if is_test and not isinstance(node, ast.Constant):
        yield from (ast.Constant(value) for value in (True, False) if not _is_endless(parent, value))
    if change := _BY_TYPE.get(type(node)):
        yield from change(node)


def _is_endless(parent: ast.AST, value: bool) -> bool:
    return isinstance(parent, ast.While) and value


def _compared(node: ast.Compare) -> Iterator[ast.expr]:
    for i, operator in enumerate(node.ops):
        for opposite in _OPPOSITES[type(operator)]:
            changed = copy.deepcopy(node)
            changed.ops[i] = opposite()  # type: ignore[call-overload]  # it is an operator of comparison
            yield changed


def _joined(node: ast.BoolOp) -> Iterator[ast.expr]:
    yield ast.BoolOp(_OPPOSITES[type(node.op)][0](), node.values)
    for i in range(len(node.values)):
        rest = node.values[:i] + node.values[i + 1 :]
        yield ast.BoolOp(node.op, rest) if len(rest) > 1 else rest[0]


def _calculated(node: ast.BinOp) -> Iterator[ast.expr]:
    for opposite in _OPPOSITES.get(type(node.op), ()):
        yield ast.BinOp(node.left, opposite(), node.right)


def _signed(node: ast.UnaryOp) -> Iterator[ast.expr]:
    if isinstance(node.op, ast.USub | ast.Not):
        yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.expr]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int | float):
        near = (value + 1, value - 1) if abs(value) <= SMALL else (value * 2, value // 2)
        yield from map(ast.Constant, near)
    elif isinstance(value, str) and _NAME_IN_QUOTES.fullmatch(value):
        yield ast.Constant(f"not_{value}")


def _called(node: ast.Call) -> Iterator[ast.expr]:
    function = node.func.id if isinstance(node.func, ast.Name) else ""
    if function in ("min", "max"):
        other = ast.Name("max" if function == "min" else "min")
        yield ast.Call(other, node.args, node.keywords)
    if function in _BARE_CALLS and node.args and not isinstance(node.args[0], ast.Starred | ast.GeneratorExp):
        yield node.args[0]
    for i, keyword in enumerate(node.keywords):
        if keyword.arg is not None:
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])


def _chosen(node: ast.IfExp) -> Iterator[ast.expr]:
    yield ast.IfExp(node.test, node.orelse, node.body)


_BY_TYPE: dict[type[ast.AST], Callable[[Any], Iterator[ast.expr]]] = {
    ast.Compare: _compared,
    ast.BoolOp: _joined,
    ast.BinOp: _calculated,
    ast.UnaryOp: _signed,
    ast.Constant: _constant,
    ast.Call: _called,
    ast.IfExp: _chosen,
}
