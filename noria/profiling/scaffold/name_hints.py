"""What the name of a column, file or table suggests."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")
_ID = {"id", "ids", "uuid", "guid", "identifier", "pk", "rowid"}
_NUMBERED = {"key", "no", "nr", "num", "number", "index", "idx"}
_NUMBERED_THING = re.compile(
    r"(account|agent|booking|case|client|contract|customer|device|driver|employee|event|invoice|item|machine|member|"
    r"order|patient|payment|person|policy|product|record|sensor|session|shop|store|student|subject|ticket|trade|"
    r"transaction|trip|unit|user|vehicle|visit|visitor)(id|uuid|guid)"
)
_MOMENT = {"time", "date", "datetime", "timestamp", "day", "moment", "at", "created", "when", "ts", "period", "hour"}
_NO_EVENT = {"birth", "born", "dob", "birthday", "birthdate", "expiry", "expires", "until", "due", "end", "deadline"}
_CODE = {"zip", "zipcode", "postcode", "postal", "plz", "code"}
_CLASS = {"class", "label", "type", "category", "species", "kind", "segment", "outcome", "status", "grade"}
_AMOUNT = {
    *("count", "cnt", "amount", "price", "total", "sum", "quantity", "qty", "days", "hours", "minutes", "demand"),
    *("sales", "revenue", "cost", "value", "duration", "delay", "age", "score", "rate", "number", "visits", "items"),
}


def words(name: str) -> list[str]:
    """The words of a name in lower case: `customerID` and `customer_id` both give customer, id."""
    return [word.lower() for word in _WORDS.findall(name)]


def is_id(name: str) -> bool:
    """Does the name say "identifier"? `patient_id`, `patientID` and `patientid` do, `uric_acid` and `paid` do not."""
    parts = words(name)
    if name.startswith("Unnamed:") or {*parts[:1], *parts[-1:]} & _ID:
        return True
    return bool(parts and _NUMBERED_THING.fullmatch(parts[-1]))


def is_running_number(name: str) -> bool:
    """Does the name say that things are numbered, or an index, which may be a measure: `member_no`, `heat_index`?"""
    return bool(set(words(name)[-1:]) & _NUMBERED)


def is_event_time(name: str) -> bool:
    """Does the name say when something happened?"""
    return bool(set(words(name)) & _MOMENT)


def is_other_date(name: str) -> bool:
    """Does the name say a date that is not when the case happened (a birthday, a deadline)?"""
    return bool(set(words(name)) & _NO_EVENT)


def is_code(name: str) -> bool:
    """Does the name say that its numbers are names (postal codes)?"""
    return bool(set(words(name)) & _CODE)


def is_class(name: str) -> bool:
    """Does the name of a target say that its numbers are classes?"""
    return bool(set(words(name)) & _CLASS)


def is_amount(name: str) -> bool:
    """Does the name of a target say that its numbers are amounts?"""
    return bool(set(words(name)) & _AMOUNT)


def slug(text: str, fallback: str = "use_case") -> str:
    """A use-case name from any text: lower case, ASCII letters, digits and `_`, at most 63 characters."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    name = re.sub(r"^[^a-z]+", "", name)[:63].rstrip("_")
    return name or fallback
