"""What the name of a column, file or table suggests."""

import re

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+")
_ID = {"id", "ids", "key", "uuid", "guid", "no", "nr", "num", "number", "identifier", "pk", "index", "rowid", "idx"}
_NO_ID = {"paid", "unpaid", "valid", "invalid", "grid", "humid", "fluid", "solid", "covid", "bid", "mid", "avoid"}
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
    """Does the name say "identifier"?"""
    parts = words(name)
    if name.startswith("Unnamed:") or set(parts[-1:]) & _ID:
        return True
    last = parts[-1] if parts else ""
    return len(last) > 3 and last.endswith(("id", "uuid", "guid")) and last not in _NO_ID


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
