"""The report of a pack as a PDF: words and figures gathered here, set by ``report.typ``."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flask_babel import gettext as _
from flask_babel import ngettext

from lti_tool.core.lazily import Lazily
from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.evidence.checkpoints.models import Checkpoint
from lti_tool.evidence.packs.figures import OTHERS, Figures, by, by_role_group, figures
from lti_tool.evidence.packs.reading import Line
from lti_tool.evidence.packs.tables import GOVERNORS, INSPECTOR, MANAGERS
from lti_tool.evidence.packs.words import AUDIENCES, DEFINITIONS, module_title, state_words
from lti_tool.evidence.proof.statements import shown_fingerprint
from lti_tool.evidence.review import printed
from lti_tool.evidence.review.agenda import Agenda
from lti_tool.evidence.typesetting import FONTS, MONO, set_pdf
from lti_tool.policies.policy import PolicyVersion, School
from lti_tool.training.cycles.words import STATE_WORDS
from lti_tool.training.staff.words import ROLE_GROUP_WORDS
from lti_tool.ui.format import day, day_and_time, local

if TYPE_CHECKING:
    import typst
else:
    typst = Lazily("typst")

SOURCE: Final = Path(__file__).with_name("report.typ")


@dataclass(frozen=True)
class Shown:
    """One school in a report: its policy in use, its checkpoint, and what there is to review."""

    school: School
    version: PolicyVersion | None
    checkpoint: Checkpoint
    agenda: Agenda | None = None


def write(
    path: Path,
    lines: Sequence[Line],
    *,
    audience: str,
    cycle: str,
    shown: Sequence[Shown],
    catalogue: Catalogue,
    key: str,
    now: datetime,
) -> None:
    """Set the report and write it to ``path``. ``key``: the fingerprint of the key that signs."""
    of = _Report(lines, audience, cycle, shown, catalogue, key, now)
    path.write_bytes(set_pdf(SOURCE, of.data(), now))


class _Report:
    def __init__(
        self,
        lines: Sequence[Line],
        audience: str,
        cycle: str,
        shown: Sequence[Shown],
        catalogue: Catalogue,
        key: str,
        now: datetime,
    ) -> None:
        self.lines, self.audience, self.cycle = lines, audience, cycle
        self.shown, self.catalogue, self.key, self.now = shown, catalogue, key, now
        self.all = figures(lines)
        self.names = {one.school.id: one.school.name for one in shown}
        self.undecided = sum(one.agenda.undecided for one in shown if one.agenda)

    def data(self) -> dict[str, Any]:
        """Everything that the source file shows."""
        moment, said = local(self.now), self.all
        title = _("Social media policy training %(cycle)s", cycle=self.cycle)
        name = self._who()
        return {
            "title": title,
            "audience": _("Evidence for: %(audience)s", audience=str(AUDIENCES[self.audience])),
            "subtitle": f"{name}, {day(self.now)}",
            "note": self._note(),
            "footer": f"{name}: {title}",
            "made": [moment.year, moment.month, moment.day],
            "fonts": FONTS,
            "mono": MONO,
            "big": _("%(done)s of %(asked)s", done=said.done, asked=said.asked),
            "big_words": _("people have done what was asked of them"),
            "picture": self._picture(),
            "schools": self._schools(),
            "states": _states(said),
            "summary": self._summary(),
            "code_label": ngettext("Record check code", "Record check codes", len(self.shown)),
            "codes": [
                {"school": one.school.name, "code": one.checkpoint.code} for one in self.shown
            ],
            "code_words": _(
                "The code shows that the record is unchanged since it was made. It does not show "
                "who was at the keyboard."
            ),
            "minutes": {"heading": _("For the minutes"), "text": self._minutes()},
            "method": {"heading": _("How this was counted"), "text": self._method()},
            "tables": list(self._tables()),
            "points": self._points(),
            "verify": {"heading": _("How to check this pack"), "text": how_to_check()},
            "fingerprint": _("Key: %(key)s", key=shown_fingerprint(self.key)),
            "words": {
                "heading": _("What the words mean"),
                "head": [_("Word"), _("What it means")],
                "rows": [[str(word), str(meaning)] for word, meaning in DEFINITIONS],
            },
            "lists": list(self._lists()),
        }

    def _who(self) -> str:
        if len(self.shown) == 1:
            return self.shown[0].school.name
        return str(ngettext("%(num)s school", "%(num)s schools", len(self.shown)))

    def _note(self) -> Any:
        """That a school or its policy is none in earnest, on every page."""
        if any(one.school.is_example for one in self.shown):
            return _("An example: not a school’s adopted policy, and not real people.")
        if any(one.version is not None and one.version.demonstration for one in self.shown):
            return _("The policy version is a demonstration that the school has not adopted.")
        return ""

    def _of(self, one: Shown) -> str:
        """Whose it is, where there are several."""
        return one.school.name if len(self.shown) > 1 else ""

    def _schools(self) -> list[dict[str, Any]]:
        found = by(self.lines, lambda one: one.school_id)
        of = [(name, found.get(school, figures([]))) for school, name in self.names.items()]
        return [
            {"name": name, "states": _states(one), "done": one.done, "asked": one.asked}
            for name, one in of
        ]

    def _picture(self) -> Any:
        states = ", ".join(
            f"{one['n']} {str(one['word']).lower()}" for one in _states(self.all) if one["n"]
        )
        if not self.all.asked:
            return _("Nobody has been asked to do a training in this cycle.")
        said = _(
            "A picture with one mark for each of the %(asked)s people asked: %(states)s.",
            asked=self.all.asked,
            states=states,
        )
        each = [f"{one['name']}: {one['done']} / {one['asked']}" for one in self._schools()]
        return " ".join([said, *([*each, ""] if len(each) > 1 else [])]).strip()

    def _summary(self) -> Any:
        if not self.all.asked:
            return _("Nobody has been asked to do a training in this cycle.")
        behind = self.all.states["overdue"]
        share = _("%(share)s%% are done.", share=self.all.share)
        if not behind:
            return f"{share} {_('Nobody is overdue.')}"
        late = ngettext("%(num)s person is overdue.", "%(num)s people are overdue.", behind)
        return f"{share} {late}"

    def _minutes(self) -> str:
        states = self.all.states
        versions = "; ".join(
            (f"{name}: " if len(self.shown) > 1 else "")
            + _("%(title)s, version %(number)s", title=_plain(one.title), number=one.number)
            for name, one in ((shown.school.name, shown.version) for shown in self.shown)
            if one is not None
        )
        said = _(
            "Governors noted that on %(date)s, %(done)s of %(asked)s people required to do so had "
            "completed the %(cycle)s training on the social media policy (%(versions)s); "
            "%(progress)s were in progress, %(due)s had not begun and were not yet due, "
            "%(overdue)s overdue, %(away)s away from work.",
            date=day(self.now),
            done=self.all.done,
            asked=self.all.asked,
            cycle=self.cycle,
            versions=versions,
            progress=states["in-progress"],
            due=states["due"],
            overdue=states["overdue"],
            away=states["paused"],
        )
        points = ngettext(
            "%(num)s point in the policy needs a decision, listed in this paper; "
            "[name] will bring proposals by [date].",
            "%(num)s points in the policy need a decision, listed in this paper; "
            "[name] will bring proposals by [date].",
            self.undecided,
        )
        codes = "; ".join(one.checkpoint.code for one in self.shown)
        code = _(
            "Record check code: %(codes)s. The code shows the record is unchanged since then; it "
            "does not show who was at the keyboard.",
            codes=codes,
        )
        return " ".join([said, *([points] if self.undecided else []), code])

    def _method(self) -> list[str]:
        said = [
            _(
                "Counted on %(moment)s, from the school’s own register of who owes which training "
                "by when. Everybody on the staff list counts once: whoever owes several trainings "
                "counts by the one that is furthest behind.",
                moment=day_and_time(self.now),
            ),
            _(
                "The %(asked)s people asked are those who owe a training in %(cycle)s now, or have "
                "done it, people away from work among them. Not among them: people who have left "
                "(%(left)s left before finishing), people whose training has not opened yet "
                "(%(not_due)s), and people who opened the training but are not on the staff list.",
                asked=self.all.asked,
                cycle=self.cycle,
                left=self.all.left,
                not_due=self.all.not_due,
            ),
            _(
                "A training is done once its scenarios are passed and the declaration is signed. "
                "Each completion is a record in the school’s ledger, to which records are only "
                "ever added, and which was signed for when this pack was made."
            ),
        ]
        return said

    def _tables(self) -> Iterable[dict[str, Any]]:
        rows = self._not_done()
        yield {
            "heading": _("Why the others are not done"),
            "text": "" if rows else _("Everybody who was asked is done."),
            "widths": [3, 1],
            "numbers": [1],
            "head": [_("Reason"), _("People")],
            "rows": rows,
        }
        per = by(
            [one for one in self.lines if one.is_required], lambda one: f"{one.module} {one.cycle}"
        )
        titles = {key: module_title(self.catalogue.modules, key.partition(" ")[0]) for key in per}
        yield self._counted(
            _("By training"),
            _("Training"),
            [(f"{titles[key]}, {key.partition(' ')[2]}", one) for key, one in per.items()],
        )
        groups = by_role_group(self.lines, merges=self.audience != MANAGERS)
        words = {name: str(word) for name, word in ROLE_GROUP_WORDS.items()}
        words[OTHERS] = _("Groups of fewer than five, together")
        said = [(words[name], one) for name, one in groups.items()]
        note = "" if said else _("Not told apart: some groups have fewer than five people.")
        yield self._counted(_("By role group"), _("Role group"), said, note)
        for one in self.shown:
            if one.agenda is not None:
                yield from printed.tables(one.agenda, self._of(one))

    def _counted(
        self, heading: str, first: str, rows: Sequence[tuple[str, Figures]], note: str = ""
    ) -> dict[str, Any]:
        return {
            "heading": heading,
            "text": note,
            "widths": [4, 1, 1, 1, 1, 1, 1],
            "numbers": [1, 2, 3, 4, 5, 6],
            "head": [first, _("Asked"), *(str(STATE_WORDS[one]) for one in _ORDER)],
            "rows": [
                [name, str(one.asked), *(str(one.states[state]) for state in _ORDER)]
                for name, one in rows
            ],
        }

    def _not_done(self) -> list[list[str]]:
        reasons = {
            "in-progress": _("They have begun, and it is not due yet"),
            "due": _("It is open, not begun and not due yet"),
            "overdue": _("The due date has passed"),
            "paused": _("They are away from work; their date moves with their return"),
        }
        states = self.all.states
        return [[str(words), str(states[one])] for one, words in reasons.items() if states[one]]

    def _points(self) -> dict[str, Any]:
        found = [
            printed.point(point, self._of(one))
            for one in self.shown
            if one.agenda is not None
            for point in one.agenda.points
        ]
        text = _("Nothing was found to check in the policy.")
        if found:
            text = _(
                "Points to check in the policy, each with the clauses it is about. They are for "
                "whoever decides on the policy; nobody was marked on a point it leaves open."
            )
        return {"heading": _("What the policy leaves open"), "text": text, "list": found}

    def _lists(self) -> Iterable[dict[str, Any]]:
        if self.audience == GOVERNORS:
            return
        many = len(self.shown) > 1
        for school_id, name in self.names.items():
            own = [one for one in self.lines if one.school_id == school_id]
            part = self._records(own) if self.audience == INSPECTOR else self._people(own)
            yield part | {"heading": f"{part['heading']}: {name}" if many else part["heading"]}

    def _people(self, lines: Sequence[Line]) -> dict[str, Any]:
        rows = [
            [
                one.name or one.reference,
                str(ROLE_GROUP_WORDS[one.role_group]),
                module_title(self.catalogue.modules, one.module),
                _("Done, not asked")
                if one.state == "done" and not one.is_required
                else state_words(one.state),
                _short(one.due_on),
                _short(one.declared_on),
            ]
            for one in lines
        ]
        return {
            "heading": _("People"),
            "text": "",
            "widths": [3, 2, 3, 2, 2, 2],
            "head": [
                *(_("Name"), _("Role group"), _("Training"), _("State"), _("Due on")),
                _("Declared on"),
            ],
            "rows": rows,
        }

    def _records(self, lines: Sequence[Line]) -> dict[str, Any]:
        done = sorted((one for one in lines if one.record_id), key=lambda one: one.entry or 0)
        rows = [
            [
                str(one.entry),
                module_title(self.catalogue.modules, one.module),
                _short(one.declared_on),
                one.version,
                str(one.record_id),
            ]
            for one in done
        ]
        return {
            "heading": _("Records"),
            "text": _(
                "Names stay on screen: whoever manages the training opens a record by its number."
            ),
            "widths": [1, 3, 2, 2, 6],
            "head": [
                *(_("Entry"), _("Training"), _("Declared on"), _("Policy version")),
                _("Record"),
            ],
            "rows": rows,
        }


_ORDER: Final = ("done", "in-progress", "due", "overdue", "paused")


def _states(said: Figures) -> list[dict[str, Any]]:
    return [{"id": one, "n": said.states[one], "word": str(STATE_WORDS[one])} for one in _ORDER]


def _short(on: date | None) -> str:
    return on.isoformat() if on else ""


def _plain(text: Mapping[str, str]) -> str:
    return " ".join((text.get("en") or next(iter(text.values()), "")).split())


def how_to_check() -> list[str]:
    """Two paragraphs on checking a pack, the same wherever it is said."""
    return [
        _(
            "Open verify.html, which lies in this pack, in any browser, without a network, and "
            "choose the pack. Better still take that page from the tool’s own address, or from "
            "an earlier pack: whoever alters a pack can alter the page in it."
        ),
        _(
            "Type in the record check code from the minutes, or the fingerprint of the key as the "
            "school publishes it. Without one of the two the answer is “intact, origin not "
            "shown”: a pack never vouches for itself."
        ),
    ]
