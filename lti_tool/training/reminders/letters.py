"""What a mail says: composed once, written out as plain text and as HTML, so that both say the
same. Needs an app context, for its language and its template."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from flask import current_app
from flask_babel import force_locale, gettext, ngettext
from markupsafe import Markup

from lti_tool.curriculum.catalogue import Catalogue
from lti_tool.policies.policy import School
from lti_tool.training.cycles.words import reason_words
from lti_tool.training.reminders.models import ReminderSettings
from lti_tool.training.reminders.planning import Duty, Figures, Letter
from lti_tool.ui.format import day

LOCALES: Final[Mapping[str, str]] = {"en": "en_GB"}
"""The languages that mails are written in; whoever trained in another reads the first."""
# In the head alone: where a mail program takes it out, the mail reads well without.
STYLE: Final = Markup(
    "<style>body{margin:0;background:#f4f0e8;color:#1d2a2e;"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',Roboto,Arial,sans-serif}"
    "main{max-width:34em;margin:0 auto;padding:24px;background:#fff}"
    "h1{font-size:20px;line-height:1.3;margin:0 0 16px}"
    "ul{padding-left:20px}li{margin-bottom:8px}"
    "a{color:#12606f;word-break:break-word}"
    ".go a{display:inline-block;padding:10px 18px;background:#17505c;color:#fff;"
    "font-weight:bold;text-decoration:none;border-radius:6px}"
    ".note{font-size:14px;color:#52616a;overflow-wrap:anywhere}</style>"
)


def _(words: str, **given: object) -> str:
    return str(gettext(words, **given))


@dataclass(frozen=True)
class Text:
    """A mail in words."""

    language: str
    subject: str
    greeting: str
    opening: str
    items: tuple[str, ...]
    own: tuple[str, ...]
    """In a digest: what the manager has to do themselves."""
    button: str
    url: str
    notes: tuple[str, ...]
    sender: str

    def plain(self) -> str:
        """The plain text, ending in a line feed."""
        parts = [self.greeting, self.opening, *_listed(self.items)]
        if self.own:
            parts += [self.own_heading(), *_listed(self.own)]
        return "\n\n".join((*parts, f"{self.button}:\n{self.url}", *self.notes, self.sender)) + "\n"

    def html(self) -> str:
        """The same as HTML: no picture, no script, nothing fetched from anywhere."""
        template = current_app.jinja_env.get_template("reminders/mail.html")
        return template.render(text=self, style=STYLE)

    def own_heading(self) -> str:
        """What stands above ``own``."""
        with force_locale(LOCALES[self.language]):
            return _("You have still to do yourself:")


def compose(
    letter: Letter,
    *,
    school: School,
    settings: ReminderSettings,
    catalogue: Catalogue,
    today: date,
    figures: Figures | None = None,
) -> Text:
    """A mail in the language in which its reader trained last. A digest needs ``figures``."""
    language = letter.reader.language if letter.reader.language in LOCALES else "en"
    with force_locale(LOCALES[language]):
        duties = tuple(_duty(duty, catalogue, language, today) for duty in letter.duties)
        return Text(
            language=language,
            subject=_subject(letter, school, today),
            greeting=_("Dear %(name)s,", name=_one_line(letter.reader.name))
            if letter.reader.name.strip()
            else _("Good day,"),
            opening=_opening(letter, school, today),
            items=_standing(figures) if figures else duties,
            own=duties if figures else (),
            button=_("Open the register") if figures else _("Go to the training"),
            url=settings.activity_url,
            notes=(_why(letter, school), _ask(school, language)),
            sender=settings.sender_name,
        )


def message(text: Text, *, to: str, sender: str, number: UUID, now: datetime) -> EmailMessage:
    """The mail itself; ``number`` makes its Message-ID, ``sender`` is our address.

    Raises ``ValueError`` for a line break in a header.
    """
    mail = EmailMessage()
    mail["Subject"] = text.subject
    mail["From"] = Address(display_name=text.sender, addr_spec=sender)
    mail["To"] = Address(addr_spec=to)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{number}@{sender.rpartition('@')[2]}>"
    # So that no “out of office” comes back.
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text.plain(), cte="quoted-printable")
    mail.add_alternative(text.html(), subtype="html", cte="quoted-printable")
    mail["Content-Language"] = text.language  # after the content, which takes such headers away
    return mail


def _subject(letter: Letter, school: School, today: date) -> str:
    """No name, and nothing that is not fit to stand on a locked screen."""
    if letter.kind == "digest":
        return _("%(school)s: how the training stands", school=school.name)
    if letter.kind == "overdue":
        return _("%(school)s: your social media policy training", school=school.name)
    due_on = min(duty.due_on for duty in letter.duties)
    return _(
        "%(school)s: social media policy training, to be done by %(day)s",
        school=school.name,
        day=day(due_on),
    )


def _opening(letter: Letter, school: School, today: date) -> str:
    if letter.kind == "digest":
        return _(
            "This is how the social media policy training at %(school)s stands on %(day)s:",
            school=school.name,
            day=day(today),
        )
    return _(
        "You have training on the social media policy to do at %(school)s:", school=school.name
    )


def _duty(duty: Duty, catalogue: Catalogue, language: str, today: date) -> str:
    module = catalogue.modules.get(duty.module)
    title = module.title.get(language, module.title["en"]) if module else _("Training")
    if duty.due_on < today:
        words = _("%(training)s: it was due on %(day)s.", training=title, day=day(duty.due_on))
    elif duty.due_on == today:
        words = _("%(training)s: it is due today.", training=title)
    else:
        words = _("%(training)s: due on %(day)s.", training=title, day=day(duty.due_on))
    if duty.reason:
        words += " " + reason_words(duty.reason)
    if duty.is_begun:
        words += " " + _("You have begun; it goes on where you stopped.")
    elif module is not None:
        words += " " + _("It takes about %(minutes)s minutes.", minutes=module.minutes)
    return words


def _standing(figures: Figures) -> tuple[str, ...]:
    lines = [
        ngettext("%(num)s person is overdue", "%(num)s people are overdue", figures.overdue),
        ngettext(
            "%(num)s person still has time; %(begun)s of them on the way",
            "%(num)s people still have time; %(begun)s of them on the way",
            figures.due,
            begun=figures.begun,
        ),
        ngettext(
            "%(num)s training was finished in the last seven days",
            "%(num)s trainings were finished in the last seven days",
            figures.finished,
        ),
    ]
    if figures.paused:
        lines.append(
            ngettext(
                "%(num)s person is away from work and gets no e-mail",
                "%(num)s people are away from work and get no e-mail",
                figures.paused,
            )
        )
    if figures.failed:
        lines.append(
            ngettext(
                "%(num)s e-mail of the last seven days did not arrive; Reminders says why",
                "%(num)s e-mails of the last seven days did not arrive; Reminders says why",
                figures.failed,
            )
        )
    return tuple(lines)


def _why(letter: Letter, school: School) -> str:
    if letter.kind == "digest":
        return _(
            "Why you get this: you look after the training at %(school)s. It comes once a week, "
            "while anybody has something to do. Managers can switch it off under Reminders.",
            school=school.name,
        )
    return _(
        "Why you get this: %(school)s counts you among its people, and this is not finished yet. "
        "You get at most one such e-mail a week, and none once it is done.",
        school=school.name,
    )


def _ask(school: School, language: str) -> str:
    asked = school.role(school.ask)
    role = asked.title.get(language, asked.title["en"]) if asked else _("school office")
    whom = f"{role}, {asked.phone}" if asked and asked.phone else role
    return _(
        "A question, or not meant for you? Ask at school: %(whom)s. Nobody reads answers to this "
        "e-mail.",
        whom=whom,
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _listed(items: tuple[str, ...]) -> tuple[str, ...]:
    return ("\n".join(f"- {item}" for item in items),) if items else ()
