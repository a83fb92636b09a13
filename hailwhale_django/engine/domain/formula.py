r"""Formulas: expressions over metrics, the thing tables sort by.

A formula is read into a small tree and never into code: there is no `eval`, and a hostile text of any kind
ends in `InvalidInput`. Length and nesting are bounded, and evaluating costs one numpy operation an operator.
What a metric is worth, in which rows and buckets, is the caller's to say: this module knows only arithmetic.

    revenue/visitors                   a ratio, and so is (revenue - cost)/uv:visitor
    "add-to-cart"/visitors             quoted, since - is always an operator; \" and \\ stand for " and \
    visits:cumulative  :+ :sum :add    the running total along the buckets of a plot
    price:last  :set :level :_         the last value that is not zero, carried forward
    visits:count                       the plain metric
    uv:visitor  uv:visitor:last        a sketch, whose recipe alone is no name: uv:last is a sketch of `last`
    revenue/revenue@parent  /hits@_    a metric read at the parent's row, or at the whole
    visits/hours                       a constant of the bucket; "hours", quoted, is a metric
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import Literal, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from hailwhale_django.engine.errors import InvalidInput

from ..simmer.aggregation import Numeric
from ..simmer.heavy import Top
from ..simmer.histogram import Histogram
from .sketch import RECIPES, sketch_of

# Far above what a person writes, far below what would trouble the stack.
MAX_CHARACTERS = 500
MAX_NESTING = 50

# Nearly every page asks the same few formulas; this many distinct ones are a stranger trying things out.
REMEMBERED_FORMULAS = 4096

CONSTANTS = frozenset({"seconds", "minutes", "hours", "days", "weeks", "years", "_count", "_days_in_month"})
LEVELS = frozenset({"parent", "_"})
CARRIES = {
    **dict.fromkeys(("cumulative", "+", "sum", "add"), "cumulative"),
    **dict.fromkeys(("last", "set", "level", "_"), "last"),
    "count": "",
}

PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2}
PRECEDENCE_OF_MINUS, PRECEDENCE_OF_LEAF = 3, 4
OPERATIONS = {"+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide}

# Tokens; each takes the space behind it along, so that the parser always stands on a character that matters.
NUMBER = re.compile(r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*")
# A + belongs to a name only as its whole last part: uv:visitor+1 is a sum.
NAME = re.compile(r"([^\W\d][\w.]*(?::[\w.]+)*(?::\+)?)\s*")
QUOTED = re.compile(rf'"((?:[^"\\]|\\["\\])+)"(?::({"|".join(map(re.escape, CARRIES))})(?![\w.]))?\s*')
LEVEL = re.compile(r"(?<!\s)@([\w.]*)\s*")
TERM_OPERATOR, FACTOR_OPERATOR = re.compile(r"([-+])\s*"), re.compile(r"([*/])\s*")
OPENING, CLOSING = re.compile(r"([-(])\s*"), re.compile(r"\)\s*")

T = TypeVar("T")
Kind: TypeAlias = Literal["number", "level", "list", "histogram", "text"]
Value: TypeAlias = NDArray[np.float64] | float
Written: TypeAlias = tuple[str, int]  # a text and its precedence


@dataclass(frozen=True, slots=True)
class Number:
    value: float

    def __str__(self) -> str:
        return repr(self.value).removesuffix(".0")


@dataclass(frozen=True, slots=True)
class Metric:
    """What is counted as `name`. `carry` is "", "cumulative" or "last"; `level` is "", "parent" or "_"."""

    name: str
    carry: str = ""
    level: str = ""

    def __str__(self) -> str:
        suffix = f":{self.carry}" if self.carry else ""
        name = self.name if self._reads_back(self.name + suffix) else _quoted(self.name)
        return name + suffix + (f"@{self.level}" if self.level else "")

    def _reads_back(self, path: str) -> bool:
        found = NAME.match(path)
        whole = found is not None and found[1] == path
        return whole and self.name not in CONSTANTS and _split(path) == (self.name, self.carry)


@dataclass(frozen=True, slots=True)
class Constant:
    """What a bucket is worth by its length (`days`), its plot (`_count`) or its place (`_days_in_month`)."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Negative:
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary:
    operator: str
    left: Node
    right: Node


Leaf: TypeAlias = Number | Metric | Constant
Node: TypeAlias = Leaf | Negative | Binary


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula as it was written, and as it was understood."""

    text: str
    # The text decides the tree, and comparing texts is the same work whatever the tree.
    root: Node = field(compare=False, repr=False)

    @classmethod
    def of(cls, root: Node) -> Formula:
        """The formula of this tree, written with no more parentheses than it needs."""
        text, _ = fold_tree(root, lambda leaf: (str(leaf), PRECEDENCE_OF_LEAF), _negative_text, _binary_text)
        return cls(text, root)

    def __str__(self) -> str:
        return self.text

    @property
    def metrics(self) -> tuple[str, ...]:
        """The distinct names of metrics, in the order in which they first appear."""
        return _nature(self).metrics

    @property
    def reads_buckets(self) -> bool:
        """Whether even its total needs every bucket: `x:last` is the last one that is not 0."""
        return _nature(self).reads_buckets

    @property
    def is_ratio(self) -> bool:
        return self.numerator is not None

    @property
    def numerator(self) -> Formula | None:
        """What a ratio divides; None for any other formula."""
        return _nature(self).numerator

    @property
    def denominator(self) -> Formula | None:
        """What a ratio divides by; None for any other formula."""
        return _nature(self).denominator

    @property
    def is_number(self) -> bool:
        """Whether it tells a number; `top10:sum:page` tells a list, and is a formula on its own only."""
        return _nature(self).is_number

    @property
    def is_level(self) -> bool:
        """Whether it is a sketch that tells how large values are and not how many, so that nothing is a share of it."""
        return _nature(self).is_level

    @property
    def kind(self) -> Kind:
        """What it tells: a number that is how many or how much, a level, items with their numbers (`list`), upper edges
        with their counts (`histogram`), or the text of a signature.
        """
        if self.is_number:
            return "level" if self.is_level else "number"
        return _kind_of_sketch(self.metrics[0])

    @property
    def is_linear(self) -> bool:
        """Whether the value of a sum of buckets is the sum of their values.

        Never so with a sketch: the uniques of a month are the union of its days, not their sum.
        """
        return _nature(self).is_linear


class _Nature(NamedTuple):
    """What follows from a tree, as the properties of `Formula` have it."""

    metrics: tuple[str, ...]
    reads_buckets: bool
    numerator: Formula | None
    denominator: Formula | None
    is_number: bool
    is_level: bool
    is_linear: bool


@lru_cache(maxsize=REMEMBERED_FORMULAS)
def _nature(formula: Formula) -> _Nature:
    metrics = [node for node in _postfix(formula.root) if isinstance(node, Metric)]
    numerator = denominator = None
    match formula.root:
        case Binary("/", left, right):
            numerator, denominator = Formula.of(left), Formula.of(right)
    return _Nature(
        metrics=tuple(dict.fromkeys(metric.name for metric in metrics)),
        reads_buckets=any(metric.carry == "last" for metric in metrics),
        numerator=numerator,
        denominator=denominator,
        is_number=all(_tells_number(metric.name) for metric in metrics),
        is_level=isinstance(formula.root, Metric) and _is_level(formula.root.name),
        is_linear=fold_tree(formula.root, _leaf_degree, lambda degree: degree, _binary_degree) == 1,
    )


def parse(text: str) -> Formula:
    """The formula that `text` says, or `InvalidInput` naming the place and what should stand there."""
    if not isinstance(text, str):
        raise InvalidInput("formula", text, "a formula is text, e.g. 'revenue/visitors'")
    if len(text) > MAX_CHARACTERS:
        raise InvalidInput("formula", text, f"a formula has at most {MAX_CHARACTERS} characters")
    return _parse(text.strip())


def evaluate(
    formula: Formula | Node, resolve: Callable[[Metric | Constant], Value], *, undefined: float = 0.0
) -> Value:
    """The formula's value, where `resolve` says what its metrics and constants are worth.

    Arrays broadcast as numpy's do; floats alone give a float. `resolve` is asked once for each distinct leaf.
    A division by zero is `undefined` at once and reckoned with as such: 0.0 suits a table, nan leaves a gap
    in a plot's line. What overflows, or was nan or infinite to begin with, is `undefined` in the end.
    """

    @cache
    def leaf(node: Leaf) -> Value:
        return np.asarray(node.value if isinstance(node, Number) else resolve(node), dtype=np.float64)

    def negative(operand: Value) -> Value:
        return -operand

    def binary(operator: str, left: Value, right: Value) -> Value:
        with np.errstate(all="ignore"):
            result: Value = OPERATIONS[operator](left, right)
        return np.where(np.equal(right, 0), undefined, result) if operator == "/" else result

    root = formula.root if isinstance(formula, Formula) else formula
    value = fold_tree(root, leaf, negative, binary)
    result: Value = np.where(np.isfinite(value), value, undefined)[()]
    return result + 0.0  # which makes -0.0 a plain zero: a table should not show -0


@lru_cache(maxsize=REMEMBERED_FORMULAS)
def _parse(text: str) -> Formula:
    return Formula(text, _Parser(text).whole())


@dataclass(slots=True)
class _Parser:
    """Recursive descent: `at` is how far it has read, `depth` how many brackets and minuses are open."""

    text: str
    at: int = 0
    depth: int = 0

    def whole(self) -> Node:
        node = self._terms()
        if self.at < len(self.text):
            raise self._misplaced("an operator")
        for leaf in _postfix(node):
            if isinstance(leaf, Metric) and not self._tells_number(leaf.name) and node != Metric(leaf.name):
                raise self._refused(f"{leaf.name} is no number to reckon with; ask for it on its own")
        return node

    def _tells_number(self, metric: str) -> bool:
        try:
            return _tells_number(metric)
        except InvalidInput as error:
            raise self._refused(f"{metric} is no sketch: {error.expected}") from error

    def _terms(self) -> Node:
        return self._chain(TERM_OPERATOR, self._factors)

    def _factors(self) -> Node:
        return self._chain(FACTOR_OPERATOR, self._operand)

    def _chain(self, operator: re.Pattern[str], operand: Callable[[], Node]) -> Node:
        node = operand()
        while found := self._take(operator):
            node = Binary(found[1], node, operand())
        return node

    def _operand(self) -> Node:
        found = self._take(OPENING)
        if not found:
            return self._leaf()
        self.depth += 1
        if self.depth > MAX_NESTING:
            raise self._refused(f"at character {found.start() + 1} it nests deeper than {MAX_NESTING} levels")
        node = Negative(self._operand()) if found[1] == "-" else self._bracketed()
        self.depth -= 1
        return node

    def _bracketed(self) -> Node:
        node = self._terms()
        if not self._take(CLOSING):
            raise self._misplaced('an operator or ")"')
        return node

    def _leaf(self) -> Node:
        if found := self._take(NUMBER):
            return self._number(found)
        if found := self._take(NAME):
            return self._named(found[1])
        if found := self._take(QUOTED):
            return Metric(_unquoted(found[1]), CARRIES[found[2] or "count"], self._level())
        if self.text.startswith('"', self.at):
            raise self._refused(f"the quote at character {self.at + 1} needs a name and a closing quote")
        raise self._misplaced('a metric, a number or "("')

    def _number(self, found: re.Match[str]) -> Number:
        value = float(found[1])
        if math.isinf(value):
            raise self._refused(f"the number at character {found.start() + 1} should be less than 1e308")
        return Number(value)

    def _named(self, path: str) -> Node:
        name, carry = _split(path)
        if name not in CONSTANTS:
            return Metric(name, carry, self._level())
        if path != name or self._take(LEVEL):
            raise self._refused(f'{name} is a constant, with no suffix or level; the metric is "{name}"')
        return Constant(name)

    def _level(self) -> str:
        found = self._take(LEVEL)
        if found and found[1] not in LEVELS:
            at = f"at character {found.start() + 1}"
            raise self._refused(f"{at} should stand @parent for the parent's row or @_ for the whole")
        return found[1] if found else ""

    def _take(self, token: re.Pattern[str]) -> re.Match[str] | None:
        found = token.match(self.text, self.at)
        if found:
            self.at = found.end()
        return found

    def _misplaced(self, expected: str) -> InvalidInput:
        if self.at == len(self.text):
            return self._refused(f"it ends where {expected} should follow", self.at)
        here = f"{self.text[self.at]!r} at character {self.at + 1}"
        return self._refused(f"{here} stands where {expected} should follow", self.at)

    def _refused(self, reason: str, at: int | None = None) -> InvalidInput:
        return InvalidInput("formula", self.text, reason, at)


def _split(path: str) -> tuple[str, str]:
    """The metric's name and carry. What follows a bare recipe is part of the name: uv:last has no carry."""
    name, _, suffix = path.rpartition(":")
    if not name or suffix not in CARRIES or RECIPES.fullmatch(f"{name}:"):
        return path, ""
    return name, CARRIES[suffix]


def _tells_number(metric: str) -> bool:
    sketch = sketch_of(metric)
    return sketch is None or sketch.is_number


def _is_level(metric: str) -> bool:
    sketch = sketch_of(metric)
    return sketch is not None and isinstance(sketch.aggregation, Numeric) and math.isnan(sketch.aggregation.nothing)


def _kind_of_sketch(metric: str) -> Kind:
    """Of a sketch that tells no number."""
    sketch = sketch_of(metric)
    if sketch is not None and isinstance(sketch.aggregation, Top):
        return "list"
    return "histogram" if sketch is not None and isinstance(sketch.aggregation, Histogram) else "text"


def _quoted(name: str) -> str:
    return '"' + re.sub(r'(["\\])', r"\\\1", name) + '"'


def _unquoted(inside: str) -> str:
    return re.sub(r"\\(.)", r"\1", inside)


def _postfix(root: Node) -> list[Node]:
    """Every node, operands before their operator and left before right."""
    waiting, found = [root], []
    while waiting:
        node = waiting.pop()
        found.append(node)
        if isinstance(node, Binary):
            waiting += node.left, node.right
        elif isinstance(node, Negative):
            waiting.append(node.operand)
    return found[::-1]


def leaves_of(formula: Formula) -> tuple[Metric | Constant, ...]:
    """The distinct metrics and constants it reads, in the order in which they first appear."""
    return tuple(dict.fromkeys(node for node in _postfix(formula.root) if isinstance(node, Metric | Constant)))


def fold_tree(root: Node, leaf: Callable[[Leaf], T], negative: Callable[[T], T], binary: Callable[[str, T, T], T]) -> T:
    """What the tree comes to, on a stack of our own: the tree of 1+1+1+... is as deep as its text is long."""
    stack: list[T] = []
    for node in _postfix(root):
        if isinstance(node, Binary):
            right, left = stack.pop(), stack.pop()
            stack.append(binary(node.operator, left, right))
        else:
            stack.append(negative(stack.pop()) if isinstance(node, Negative) else leaf(node))
    return stack.pop()


def _leaf_degree(node: Leaf) -> float:
    """As a homogeneous polynomial in plain metrics, where 1 is linear; nan for what is no such polynomial."""
    if isinstance(node, Number):
        return 0
    plain = isinstance(node, Metric) and not (node.carry or node.level or RECIPES.match(node.name))
    return 1 if plain else math.nan


def _binary_degree(operator: str, left: float, right: float) -> float:
    if operator == "*":
        return left + right
    keeps = right == 0 if operator == "/" else left == right
    return left if keeps else math.nan


def _negative_text(operand: Written) -> Written:
    return "-" + _in_brackets(operand, PRECEDENCE_OF_MINUS), PRECEDENCE_OF_MINUS


def _binary_text(operator: str, left: Written, right: Written) -> Written:
    precedence = PRECEDENCE[operator]
    joint = operator if operator in "*/" else f" {operator} "
    return _in_brackets(left, precedence) + joint + _in_brackets(right, precedence + 1), precedence


def _in_brackets(written: Written, needed: int) -> str:
    """The text, in brackets if it binds more loosely than its place needs."""
    text, precedence = written
    return text if precedence >= needed else f"({text})"
