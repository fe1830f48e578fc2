"""What a staff file's columns and cells may say. Pure."""

import re
import unicodedata
from datetime import date, datetime, timedelta
from typing import Final

FIELDS: Final = (
    "name",
    "email",
    "role_group",
    "site",
    "starts_on",
    "payroll_number",
    "ends_on",
)
SPELLINGS: Final[dict[str, str]] = {
    spelling: field
    for field, spellings in {
        "name": "name|full name|staff name|employee name|display name|employee|person",
        "forename": "forename|forenames|first name|given name|preferred forename|legal forename"
        "|preferred first name|firstname",
        "surname": "surname|last name|family name|preferred surname|legal surname|lastname",
        "email": "email|e mail|email address|e mail address|mail|work email|school email"
        "|work email address|school email address|work e mail",
        "role_group": "role group|role|group|staff group|staff type|staff category|category|type",
        "site": "site|school|campus|base|location|academy|work site|site name|school name",
        "starts_on": "start date|start|starts|starts on|started|date started|date of start"
        "|joined|date joined|joining date|employment start date|first day|start day",
        "payroll_number": "payroll number|payroll no|payroll|payroll id|pay number|employee number"
        "|employee no|employee id|staff number|staff no|staff id|personnel number|payroll num",
        "ends_on": "leaving date|leaves|leaves on|leaving|left|date left|leave date|end date|end"
        "|date of leaving|last day|employment end date|leaver date",
    }.items()
    for spelling in spellings.split("|")
}
ROLE_GROUPS: Final[dict[str, str]] = {
    spelling: group
    for group, spellings in {
        "teaching": "teaching|teacher|teachers|teaching staff|t|headteacher|head teacher|ect",
        "support": "support|support staff|non teaching|nonteaching|non teaching staff|ta|tas|admin"
        "|teaching assistant|associate staff|office|s",
        "governor": "governor|governors|trustee|trustees|g",
        "volunteer": "volunteer|volunteers|v",
        "supply": "supply|supply or visitor|supply teacher|supply staff|agency|visitor|visitors",
    }.items()
    for spelling in spellings.split("|")
}
MONTHS: Final = {
    name: number
    for number, names in enumerate(
        (
            *("jan january", "feb february", "mar march", "apr april", "may", "jun june"),
            *("jul july", "aug august", "sep sept september", "oct october"),
            *("nov november", "dec december"),
        ),
        1,
    )
    for name in names.split()
}
NOTHING: Final = frozenset(("", "-", "–", "—", "n/a", "na", "none", "nil", "null"))
EXCEL_EPOCH: Final = date(1899, 12, 30)
LONGEST: Final = 255
LONGEST_NUMBER: Final = 40
# Shown in a list of faults: no more of a cell than it takes to find it.
SHOWN: Final = 40
EMAIL: Final = re.compile(r"[^@\s<>,;:\"]+@[^@\s<>,;:\".]+(\.[^@\s<>,;:\".]+)+")
ISO: Final = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?:[T ][\d:.Z]*)?")
BRITISH: Final = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{1,2})\s*[-/.]\s*(\d{4}|\d{2})(?:\s+[\d:]+)?")
WORDED: Final = re.compile(
    r"(?:[a-z]+,?\s+)?(\d{1,2})(?:st|nd|rd|th)?[\s-]+([a-z]+)\.?,?[\s-]+(\d{4}|\d{2})"
)


class CellError(ValueError):
    """A cell that cannot be used; ``code`` says why, for ``words`` to say it in words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code: Final = code


def field_of(header: str) -> str:
    """The field a column's header means, or an empty string."""
    return SPELLINGS.get(plain(header), "")


def plain(text: str) -> str:
    """Lower case letters and digits with single spaces: what two spellings have in common."""
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", text).casefold()).split())


def clean(cell: str) -> str:
    """A cell as its writer meant it: without Excel's ``="…"`` and ``'``, and what cannot be seen.

    A cell is text to us and never worked out, whatever sign it begins with.
    """
    seen = "".join(" " if sign.isspace() else sign for sign in cell if _is_seen(sign))
    text = " ".join(seen.split())
    if found := re.fullmatch(r'="(.*)"', text):
        text = found[1].strip()
    text = text.removeprefix("'").strip()
    return "" if text.casefold() in NOTHING else text


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign.isspace()


def read_name(text: str) -> str:
    """“Osei, Amara” becomes “Amara Osei”. Raises ``CellError``."""
    _refuse_excel_faults(text)
    if text[:1] in tuple("=+-@"):
        raise CellError("formula")
    parts = [part.strip() for part in text.split(",")]
    name = f"{parts[1]} {parts[0]}".strip() if len(parts) == 2 else text
    if not any(sign.isalpha() for sign in name):
        raise CellError("name-missing")
    if len(name) > LONGEST:
        raise CellError("too-long")
    return name


def read_email(text: str) -> str:
    """An address, also out of ``Amara Osei <a@b.example>``. Raises ``CellError``."""
    _refuse_excel_faults(text)
    if found := re.search(r"<([^<>]*)>\s*$", text):
        text = found[1]
    text = text.strip().removeprefix("mailto:")
    if text and (len(text) > LONGEST or not EMAIL.fullmatch(text)):
        raise CellError("email")
    return text


def read_role_group(text: str) -> str:
    """One of the five role groups. Raises ``CellError``."""
    if not text:
        return ""
    try:
        return ROLE_GROUPS[plain(text)]
    except KeyError as fault:
        raise CellError("role-group") from fault


def read_site(text: str, sites: tuple[str, ...]) -> str:
    """One of the school's sites. Raises ``CellError``."""
    if not text:
        return ""
    for site in sites:
        if plain(site) == plain(text):
            return site
    raise CellError("site")


def read_number(text: str) -> str:
    """A payroll number as it was meant. Raises ``CellError``."""
    _refuse_excel_faults(text)
    if text[:1] in tuple("=+-@"):
        raise CellError("formula")
    if re.fullmatch(r"\d+([.,]\d+)?[eE]\+?\d+", text):
        raise CellError("number-shortened")
    if len(text) > LONGEST_NUMBER:
        raise CellError("too-long")
    return re.sub(r"(?<=\d)\.0+$", "", text)


def number_key(number: str) -> str:
    """What two spellings of one payroll number share: Excel drops the zeros in front."""
    key = number.casefold().replace(" ", "")
    return key.lstrip("0") or key if key.isascii() and key.isdigit() else key


def read_date(text: str) -> date | None:
    """A day written the British way, by ISO 8601, with the month's name, or as Excel counts days.

    Raises ``CellError``.
    """
    if not text:
        return None
    _refuse_excel_faults(text)
    lower = text.casefold()
    try:
        found = _date(lower)
    except ValueError as fault:
        raise CellError("date") from fault
    if found is None or not date(1940, 1, 1) <= found <= date(2100, 12, 31):
        raise CellError("date")
    return found


def _date(text: str) -> date | None:
    if found := ISO.fullmatch(text.upper()):
        return date(int(found[1]), int(found[2]), int(found[3]))
    if found := BRITISH.fullmatch(text):
        return date(_year(found[3]), int(found[2]), int(found[1]))
    if (found := WORDED.fullmatch(text)) and found[2] in MONTHS:
        return date(_year(found[3]), MONTHS[found[2]], int(found[1]))
    if re.fullmatch(r"[2-7]\d{4}(\.\d+)?", text) and text.isascii():
        return EXCEL_EPOCH + timedelta(days=int(text[:5]))
    return None


def _year(text: str) -> int:
    year = int(text)
    return datetime.strptime(text, "%y").year if year < 100 else year  # noqa: DTZ007


def _refuse_excel_faults(text: str) -> None:
    if re.fullmatch(r"#+", text):
        raise CellError("too-narrow")
    if re.fullmatch(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)", text.upper()):
        raise CellError("excel-fault")
