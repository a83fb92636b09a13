"""Words: why an option was chosen, as somebody would say it."""

from __future__ import annotations

from collections.abc import Sequence

from .choice import Clue, Standing

# Below, a group's evidence made no difference that is worth a sentence.
TELLING = 0.02


def reasons_of(
    chosen: Standing,
    standings: Sequence[Standing],
    clues: Sequence[Clue],
    *,
    uniform: bool,
    burning_in: bool,
    minimize: bool,
    formula: str,
) -> tuple[str, ...]:
    """Sentences, the most telling first."""
    said = []
    if burning_in:
        said.append("Every option is tried alike until all of them have enough events to be compared.")
    elif uniform:
        said.append(
            "This visitor is one of the share that is decided for by chance alone, to keep the comparison fair."
        )
    others = [one for one in standings if one.option != chosen.option]
    known = any(one.events for one in standings)
    if not known:
        said.append("Nothing is known yet of any option, so each was as likely.")
    elif others:
        said.append(_comparison(chosen, others, formula, minimize=minimize))
    said += [_clue(clue, chosen.option, minimize=minimize) for clue in clues]
    if others and not uniform and not burning_in:
        said.append(f"It was chosen with a probability of {_percent(chosen.probability)}.")
    return tuple(said)


def told_of_end(option: str, state: str) -> str:
    """Of a decision that is not running."""
    why = {"draft": "This decision is a draft", "won": f"{option} has won"}.get(state, "This decision is stopped")
    return f"{why}: everybody gets {option}."


def _comparison(chosen: Standing, others: Sequence[Standing], formula: str, *, minimize: bool) -> str:
    rival = (min if minimize else max)(others, key=lambda one: one.mean)
    apart = f", {_apart(chosen.mean, rival.mean)} {rival.option}" if rival.mean else ""
    return (
        f"{chosen.option}: {formula} is estimated at {_number(chosen.mean)} for this visitor "
        f"(90% sure of {_number(chosen.lower)} to {_number(chosen.upper)}){apart}; "
        f"the chance that it is the best for this visitor is {_percent(chosen.best)}."
    )


def _apart(mean: float, rival: float) -> str:
    change = (mean - rival) / abs(rival)
    if abs(change) < 0.005:
        return "as much as"
    return f"{_percent(abs(change))} {'more' if change > 0 else 'less'} than"


def _clue(clue: Clue, option: str, *, minimize: bool) -> str:
    change = clue.weight - 1
    speaks = "against" if (change < 0) != minimize else "for"
    direction = "more" if change > 0 else "less"
    group = " and ".join(path.replace("/", " ", 1) for path in clue.paths)
    value = "" if clue.value is None else f", {_number(clue.value)}"
    return (
        f"Visitors with {group} speak {speaks} it: {option} does {_percent(abs(change))} {direction} there than "
        f"elsewhere ({clue.events:,.0f} events{value})."
    )


def _percent(share: float) -> str:
    percent = share * 100
    return f"{percent:.0f}%" if percent >= 10 or percent == 0 else f"{percent:.1f}%"


def _number(value: float) -> str:
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
