"""List the tables that a statement touches without holding them to one tenant, `channel_id = $1`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from pglast import ast, parse_sql
from pglast.enums import A_Expr_Kind, BoolExprType

KEY = "channel_id"
STATEMENTS = (ast.SelectStmt, ast.UpdateStmt, ast.DeleteStmt, ast.InsertStmt)


@dataclass(slots=True)
class QueryScope:
    """Hold one SELECT, UPDATE, DELETE or INSERT: its relations by alias, and what it equates their keys with."""

    outer: "QueryScope | None"
    tenants: dict[str, str] = field(default_factory=dict)
    equal: list[tuple[str, str]] = field(default_factory=list)
    scoped: set[str] = field(default_factory=set)

    def is_scoped(self, alias: str) -> bool:
        """Tell whether a relation is held to the tenant, here or in a query around this one."""
        if alias in self.tenants:
            return alias in self.scoped
        return self.outer is not None and self.outer.is_scoped(alias)

    def propagate(self) -> None:
        """Carry `channel_id = $1` over to everything that is equated with it."""
        growing = True
        while growing:
            before = len(self.scoped)
            for left, right in (*self.equal, *((right, left) for left, right in self.equal)):
                if left in self.tenants and self.is_scoped(right):
                    self.scoped.add(left)
            growing = len(self.scoped) > before


def parsed(sql: str) -> list[Any]:
    """Return the parse trees of some statements."""
    return [raw.stmt for raw in parse_sql(sql)]


def unscoped_tables(sql: str, tenant_tables: Iterable[str]) -> list[str]:
    """Return the tenant tables of a statement that are not held to `channel_id = $1`."""
    tables = frozenset(tenant_tables)
    return [table for statement in parsed(sql) for table in _unscoped(statement, tables, None)]


def unscoped_tables_of_view(query: Any, tenant_tables: Iterable[str]) -> list[str]:
    """Return those of a view, which passes the key of its first relation on to whoever reads it."""
    return list(_unscoped(query, frozenset(tenant_tables), None, scope_first=True))


def is_a(node: Any, *kinds: type) -> bool:
    """Tell the kind of a node without narrowing its type: nearly everything in a parse tree may be None."""
    return isinstance(node, kinds)


def walk(node: Any) -> Iterator[Any]:
    """Yield every node of a tree."""
    if isinstance(node, tuple | list):
        for each in node:
            yield from walk(each)
    elif isinstance(node, ast.Node):
        yield node
        for name in node:
            yield from walk(getattr(node, name))


def functions_called(sql: str) -> set[str]:
    """Return the names of the functions that a statement calls."""
    return {node.funcname[-1].sval for node in walk(parsed(sql)) if is_a(node, ast.FuncCall)}


def _unscoped(
    statement: Any, tables: frozenset[str], outer: QueryScope | None, *, scope_first: bool = False
) -> Iterator[str]:
    if is_a(statement, ast.SelectStmt) and statement.larg is not None:
        yield from _unscoped(statement.larg, tables, outer)
        yield from _unscoped(statement.rarg, tables, outer)
        return
    level = QueryScope(outer)
    for source in (*(getattr(statement, "fromClause", None) or ()), *(getattr(statement, "usingClause", None) or ())):
        _enter(source, level, tables)
    target = getattr(statement, "relation", None)
    if target is not None and not is_a(statement, ast.InsertStmt):
        _enter(target, level, tables)
    if scope_first:
        level.scoped.update(list(level.tenants)[:1])
    _read_condition(getattr(statement, "whereClause", None), level)
    level.propagate()
    yield from (name for alias, name in level.tenants.items() if alias not in level.scoped)
    if is_a(statement, ast.InsertStmt) and statement.relation.relname in tables:
        yield from () if _inserts_key(statement) else (statement.relation.relname,)
    for inner in _inner_statements(statement):
        yield from _unscoped(inner, tables, level)


def _enter(source: Any, level: QueryScope, tables: frozenset[str]) -> list[str]:
    """Add what a FROM item brings in, and return the aliases that have a key."""
    if is_a(source, ast.RangeVar):
        alias = source.alias.aliasname if source.alias else source.relname
        if source.relname not in tables:
            return []
        level.tenants[alias] = source.relname
        return [alias]
    if is_a(source, ast.JoinExpr):
        aliases = [*_enter(source.larg, level, tables), *_enter(source.rarg, level, tables)]
        if any(column.sval == KEY for column in source.usingClause or ()):
            level.equal += [(aliases[0], other) for other in aliases[1:]]
        _read_condition(source.quals, level)
        return aliases
    return []


def _read_condition(condition: Any, level: QueryScope) -> None:
    """Take note of `a.channel_id = $1` and `a.channel_id = b.channel_id`, where all conditions must hold."""
    if is_a(condition, ast.BoolExpr) and condition.boolop == BoolExprType.AND_EXPR:
        for part in condition.args:
            _read_condition(part, level)
    elif is_a(condition, ast.A_Expr) and condition.kind == A_Expr_Kind.AEXPR_OP and condition.name[0].sval == "=":
        sides = condition.lexpr, condition.rexpr
        aliases = [alias for side in sides if (alias := _alias_of_key(side, level)) is not None]
        if len(aliases) == len(sides):
            level.equal.append((aliases[0], aliases[1]))
        elif aliases and any(is_a(side, ast.ParamRef) and side.number == 1 for side in sides):
            level.scoped.add(aliases[0])


def _alias_of_key(side: Any, level: QueryScope) -> str | None:
    if not is_a(side, ast.ColumnRef) or not all(is_a(part, ast.String) for part in side.fields):
        return None
    names = [part.sval for part in side.fields]
    if names[-1] != KEY:
        return None
    if len(names) > 1:
        return str(names[-2])
    return next(iter(level.tenants)) if len(level.tenants) == 1 else None


def _inserts_key(statement: Any) -> bool:
    columns = [column.name for column in statement.cols or ()]
    if KEY not in columns:
        return False
    position = columns.index(KEY)
    query = statement.selectStmt
    rows = query.valuesLists or (tuple(target.val for target in query.targetList),)
    return all(isinstance(row[position], ast.ParamRef) and row[position].number == 1 for row in rows)


def _inner_statements(statement: Any) -> Iterator[Any]:
    """Yield the statements directly inside one, however deep in its expressions."""
    for name in statement:
        yield from _first_statements(getattr(statement, name))


def _first_statements(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple | list):
        for each in node:
            yield from _first_statements(each)
    elif is_a(node, *STATEMENTS):
        yield node
    elif isinstance(node, ast.Node):
        for name in node:
            yield from _first_statements(getattr(node, name))
