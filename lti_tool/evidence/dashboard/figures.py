"""Figures in words: a plot, what it says in a sentence, and its table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from flask_babel import gettext as _
from flask_babel import ngettext
from markupsafe import Markup

from lti_tool.core.lazily import Lazily
from lti_tool.curriculum.catalogue import TrainingModule
from lti_tool.evidence.dashboard import duties
from lti_tool.evidence.dashboard.chasing import Chased
from lti_tool.evidence.dashboard.duties import Counts, Duties, Duty, Years
from lti_tool.evidence.dashboard.trusts import Beside, together
from lti_tool.evidence.words import cycle_words
from lti_tool.training.cycles.words import STATE_WORDS
from lti_tool.training.cycles.words import reason_words as due_words
from lti_tool.training.staff.words import ROLE_GROUP_WORDS
from lti_tool.ui.format import day as day_words

if TYPE_CHECKING:
    from lti_tool.evidence.dashboard import plots
else:
    plots = Lazily("lti_tool.evidence.dashboard.plots")

MOST_BARS: Final = 12
"""More schools than these are not told apart in one plot."""
STEPS: Final = (20, 40, 60, 80, 100)


@dataclass(frozen=True)
class Figure:
    """A plot with its table. ``states`` are those it shows, for its key."""

    id: str
    title: str
    said: str
    plot: Markup
    states: Sequence[str]
    head: Sequence[str]
    rows: Sequence[Sequence[str | int]]


@dataclass(frozen=True)
class YearsFigure:
    """A year beside the one before, with the lines' names."""

    figure: Figure
    this: str
    last: str


def by_role_group(found: Duties, today: date) -> Figure | None:
    """The states of each role group; None where nobody owes anything."""
    return _by(
        found, lambda duty: duty.role_group, ROLE_GROUP_WORDS, today,
        id="role-groups", title=_("By role group"), first=_("Role group"),
    )  # fmt: skip


def by_site(found: Duties, sites: Sequence[str], today: date) -> Figure | None:
    """The states at each site of a federation, side by side; None at a school of one."""
    if not sites:
        return None
    names = {site: site for site in sites} | {"": _("Site not known")}
    return _by(
        found, lambda duty: duty.site if duty.site in names else "", names, today,
        id="sites", title=_("By site"), first=_("Site"),
    )  # fmt: skip


def _by(
    found: Duties,
    key: Callable[[Duty], str],
    names: Mapping[str, object],
    today: date,
    *,
    id: str,
    title: str,
    first: str,
) -> Figure | None:
    counted = duties.count_by(found, key, today)
    rows = [(str(words), counted[name]) for name, words in names.items() if name in counted]
    return _of_states(rows, id=id, title=title, first=first, said=_done_of(rows)) if rows else None


def over_time(found: Duties, cycle: str, starts: tuple[int, int], today: date) -> Figure | None:
    """The states week by week since the first was asked; None before that."""
    first = duties.first_day(found)
    last = min(today, duties.year_of(cycle, starts)[1]) if cycle[0].isdigit() else today
    if first is None or first > last:
        return None
    points = duties.over_time(found, duties.days_between(first, last))
    title = _("Over time")
    said = " ".join(
        _("%(day)s: %(done)s of %(people)s done.", day=day_words(day), done=counts.get("done", 0),
          people=duties.asked(counts))
        for day, counts in (points if len(points) == 1 else (points[0], points[-1]))
    )  # fmt: skip
    states = _states(counts for _, counts in points)
    return Figure(
        id="weeks",
        title=title,
        said=said,
        plot=plots.states_over_time(points, title=title, said=said),
        states=states,
        head=[_("Day"), *(str(STATE_WORDS[state]) for state in states)],
        rows=[
            [day_words(day), *(counts.get(state, 0) for state in states)] for day, counts in points
        ],
    )


def of_years(found: Years) -> YearsFigure:
    """This cycle against last year's: the same day then, and how that year ended."""
    columns = (
        (_("%(cycle)s, now", cycle=cycle_words(found.cycle)), found.this),
        (_("%(cycle)s, %(day)s", cycle=found.before, day=day_words(found.same_day)), found.then),
        (_("%(cycle)s, at its end", cycle=found.before), found.at_end),
    )
    title = _("Against last year")
    said = _(
        "Done now: %(now)s. On the same day last year: %(then)s. At the end of last year: %(end)s.",
        **{
            name: _percent(counts)
            for name, (_column, counts) in zip(("now", "then", "end"), columns, strict=True)
        },
    )
    states = _states(counts for _column, counts in columns)
    numbers: list[list[str | int]] = [
        [str(STATE_WORDS[state]), *(counts.get(state, 0) for _column, counts in columns)]
        for state in states
    ]
    figure = Figure(
        id="years",
        title=title,
        said=said,
        plot=plots.years(found.days, *found.lines, title=title, said=said),
        states=(),
        head=[_("State"), *(words for words, _counts in columns)],
        rows=[*numbers, [_("Share done"), *(_percent(counts) for _column, counts in columns)]],
    )
    return YearsFigure(figure, found.cycle, found.before)


def beside(schools: Sequence[Beside]) -> Figure | None:
    """Few schools: the states of each. Many: how many schools have done how much."""
    if len(schools) <= MOST_BARS:
        rows = [(school.name, school.counts) for school in schools]
        return _of_states(
            rows, id="schools", title=_("School by school"), first=_("School"), said=_done_of(rows)
        )
    numbers = [0] * (len(STEPS) + 1)
    for school in schools:
        if school.share is not None:
            numbers[min(school.share // 20, len(STEPS))] += 1
    labels = [*(f"{step - 20}–{step - 1}%" for step in STEPS), "100%"]
    title = _("How far the schools are")
    said = ngettext(
        "%(num)s school has everybody done.", "%(num)s schools have everybody done.", numbers[-1]
    )
    shares = list(zip(labels, numbers, strict=True))
    return Figure(
        id="shares",
        title=title,
        said=said,
        plot=plots.numbers(shares, title=title, said=said),
        states=(),
        head=[_("Share done"), _("Schools")],
        rows=shares,
    )


def all_schools(schools: Sequence[Beside]) -> Figure:
    """All of a manager's schools as one bar."""
    rows = [(_("All schools"), together(schools))]
    return _of_states(
        rows, id="together", title=_("All schools together"), first="", said=_done_of(rows)
    )


def _of_states(
    rows: Sequence[tuple[str, Counts]], *, id: str, title: str, first: str, said: str
) -> Figure:
    states = _states(counts for _, counts in rows)
    return Figure(
        id=id,
        title=title,
        said=said,
        plot=plots.states_by(rows, title=title, said=said),
        states=states,
        head=[first, *(str(STATE_WORDS[state]) for state in states), _("Share done")],
        rows=[
            [name, *(counts.get(state, 0) for state in states), _percent(counts)]
            for name, counts in rows
        ],
    )


def _states(found: Iterable[Counts]) -> list[str]:
    """Those that occur, in the order of the plots."""
    present = {state for counts in found for state, number in counts.items() if number}
    return [state for state in plots.MARKS if state in present]


def _done_of(rows: Sequence[tuple[str, Counts]]) -> str:
    """“Teaching staff: 22 of 29 done.” for each."""
    return " ".join(
        _("%(name)s: %(done)s of %(people)s done.", name=name, done=counts.get("done", 0),
          people=duties.asked(counts))
        for name, counts in rows
    )  # fmt: skip


def _percent(counts: Counts) -> str:
    number = duties.share(counts)
    return "–" if number is None else str(_("%(number)s%%", number=number))


def when_words(line: Chased) -> str:
    """“3 days overdue”, “due today”, “due in 5 days”."""
    if line.days < 0:
        return str(ngettext("%(num)s day overdue", "%(num)s days overdue", -line.days))
    if line.days == 0:
        return str(_("Due today"))
    return str(ngettext("Due in %(num)s day", "Due in %(num)s days", line.days))


def chase_cells(line: Chased, modules: Mapping[str, TrainingModule]) -> list[str]:
    """One row of the list as a file."""
    training = modules[line.module].title["en"] if line.module in modules else line.module
    return [
        line.shown_name,
        line.reference,
        line.email,
        str(ROLE_GROUP_WORDS[line.role_group]),
        line.site,
        training,
        cycle_words(line.cycle),
        str(STATE_WORDS[line.state]),
        line.due_on.isoformat(),
        str(-line.days) if line.days < 0 else "",
        str(line.days) if line.days >= 0 else "",
        due_words(line.reason),
        line.reminded_on.isoformat() if line.reminded_on else "",
    ]
