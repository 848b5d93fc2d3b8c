"""The summary that `forget` prints."""

from noria.predictions.erasure.erase import ErasureResult
from noria.predictions.records import EntityRecords
from noria.reporting import plural

_MB = 1e6


def headline(entity: str, done: ErasureResult) -> str:
    """One sentence: is it erased?"""
    if done.left:
        others = plural(len(done.left), "other file")
        return f"{entity} is erased from all predictions; {others} may still name it."
    if not done.before and not done.cleaned:
        return f"Nothing was stored about {entity}."
    return f"{entity} is erased."


def facts(done: ErasureResult) -> list[tuple[str, object]]:
    """Before and after, the searched files, what was cleaned, what is left, and what is out of reach."""
    return [
        ("before", f"{_counts(done.before)}{_occurrences(done, done.bytes_before)}"),
        ("now", f"{_counts(done.after)}{_occurrences(done, done.bytes_after)}"),
        *(("searched", f"{file} ({file.stat().st_size / _MB:.1f} MB)") for file in done.searched if file.is_file()),
        *(
            ("searched", f"{folder} ({plural(files, 'file')}, {size / _MB:.1f} MB)")
            for folder, files, size in done.folders
        ),
        *(("cleaned", f"{file}: {what}") for file, what in done.cleaned),
        *(("left", f"{file}: {what}") for file, what in done.left),
        *([("note", f"{plural(done.others, 'row')} of other cases with the same text")] if done.others else []),
        *([("note", f"{plural(done.values, 'text')} that only this case has went with it")] if done.values else []),
        *([("note", done.note)] if done.note else []),
        ("not reached", _not_reached(done)),
    ]


def _counts(held: EntityRecords) -> str:
    return ", ".join(
        (plural(held.predictions, "prediction"), plural(held.labels, "label"), plural(held.events, "event"))
    )


def _occurrences(done: ErasureResult, found: int) -> str:
    return f"; named {plural(found, 'time')} in the files" if done.searched else ""


def _not_reached(done: ErasureResult) -> str:
    server = "" if done.searched else "the database server's log and replicas, "
    beyond = "".join(f"{place}, " for place in done.beyond)
    return f"{server}{beyond}backups, container images, the table that you train from, and what a model has learned"
