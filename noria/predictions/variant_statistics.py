"""Statistics of one variant, by which a canary is evaluated."""

from datetime import datetime

from sqlalchemy import Connection, func, select

from noria.predictions.records import VariantStatistics
from noria.predictions.sql_tables import events, predictions


def variant_statistics(connection: Connection, variant: str, since: datetime, limit: int) -> VariantStatistics:
    """Statistics of the predictions of `variant` since then, without test requests.

    Lists hold the newest `limit` elements.

    `errors` adds up the events of kind `error`: rows that the variant failed to answer.
    """
    row = predictions.c
    its = (row.variant == variant, row.at >= since, row.is_test.is_(False))
    answers = connection.execute(select(func.count()).where(*its)).scalar_one()
    failed = select(func.coalesce(func.sum(events.c.count), 0)).where(
        events.c.kind == "error", events.c.variant == variant, events.c.at >= since
    )
    newest = select(row.request_id, row.latency_ms).where(*its).order_by(row.at.desc()).limit(limit)
    latencies = {request: latency for request, latency in connection.execute(newest)}  # noqa: C416
    labelled = select(row.label, row.prediction, row.probability, row.labelled_at).where(
        *its, row.label_id.is_not(None)
    )
    found = connection.execute(labelled.order_by(row.at.desc()).limit(limit)).all()
    return VariantStatistics(
        variant=variant,
        answers=answers,
        errors=int(connection.execute(failed).scalar_one()),
        latencies_ms=list(latencies.values()),
        labels=[each.label for each in found],
        predictions=[each.prediction for each in found],
        probabilities=[each.probability for each in found],
        labelled_at=[each.labelled_at for each in found] if all(each.labelled_at for each in found) else [],
    )
