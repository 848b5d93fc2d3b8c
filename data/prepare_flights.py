"""Makes `flights.parquet` from tables of nycflights13: `python data/prepare_flights.py FOLDER`.

FOLDER holds `nyc_flights_2013.parquet` and `nyc_weather_2013.parquet` as `data/PROVENANCE.md` describes them. One row
per scheduled flight, ordered by time:

- `scheduled`: the scheduled departure in UTC; `sched_dep` and `sched_arr` are local times of day in hours.
- `late`: yes if the flight arrived more than 30 minutes late, or not at all (cancelled or diverted).
- `label_hours`: from the scheduled departure until it is known whether the flight is late: its scheduled duration and
  30 minutes. The duration needs the time zone of the destination, which follows from the flights themselves: the time
  between departure and arrival on the clocks, less the time in the air.
- the weather at the origin three hours before the hour of departure: what can be known two hours before.

Left out is what is known too late (departure and arrival as they were, time in the air), and the aircraft, which may
still change. Whole numbers stay small, so that the file does.
"""

import sys
from pathlib import Path

import pandas as pd

WEATHER_HOURS_BEFORE = 3
LATE_MINUTES = 30
TAXI_MINUTES = 30
"""From the gate to the air and back, about."""
WEATHER = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]


def prepare(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The table of the use case `flight_delays`, one row for each row of `flights`."""
    hour = pd.to_datetime(flights["time_hour"], utc=True)
    late = flights["arr_delay"].isna() | (flights["arr_delay"] > LATE_MINUTES)
    local = flights[["sched_dep_time", "sched_arr_time"]]
    in_hours = local // 100 + local % 100 / 60
    hours_west = _hours_west(flights)
    duration = (in_hours["sched_arr_time"] - in_hours["sched_dep_time"]) % 24 + flights["dest"].map(hours_west)
    table = pd.DataFrame(
        {
            "flight_id": flights["carrier"]
            + flights["flight"].astype(str)
            + "-"
            + flights["origin"]
            + "-"
            + hour.dt.tz_convert("America/New_York").dt.strftime("%Y%m%d"),
            "scheduled": hour + pd.to_timedelta(flights["minute"], unit="min"),
            "late": late.map({True: "yes", False: "no"}),
            "carrier": flights["carrier"],
            "flight": flights["flight"].astype("int16"),
            "origin": flights["origin"],
            "dest": flights["dest"],
            "distance": flights["distance"].astype("int16"),
            "sched_dep": in_hours["sched_dep_time"].round(3).astype("float32"),
            "sched_arr": in_hours["sched_arr_time"].round(3).astype("float32"),
            "label_hours": (duration + LATE_MINUTES / 60).round(3).astype("float32"),
            "weather_hour": hour - pd.Timedelta(hours=WEATHER_HOURS_BEFORE),
        }
    )
    known = weather[["origin", *WEATHER]].astype(dict.fromkeys(WEATHER, "float32"))
    known["weather_hour"] = pd.to_datetime(weather["time_hour"], utc=True)
    known = known.drop_duplicates(["origin", "weather_hour"])
    joined = table.merge(known, on=["origin", "weather_hour"], how="left").drop(columns="weather_hour")
    return joined.sort_values(["scheduled", "flight_id"], kind="stable").reset_index(drop=True)


def _hours_west(flights: pd.DataFrame) -> pd.Series:
    """Destination → hours between its clock and that of New York; 0 where no flight has arrived."""
    minutes = {name: flights[name] // 100 * 60 + flights[name] % 100 for name in ("dep_time", "arr_time")}
    on_clocks = (minutes["arr_time"] - minutes["dep_time"]) % 1440
    ahead = on_clocks - flights["air_time"] - TAXI_MINUTES
    return -(ahead / 60).groupby(flights["dest"]).median().round().fillna(0)


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    tables = (pd.read_parquet(folder / f"nyc_{name}_2013.parquet") for name in ("flights", "weather"))
    target = Path(__file__).with_name("flights.parquet")
    made = prepare(*tables)
    made.to_parquet(target, index=False, compression="zstd", compression_level=19)
    print(f"{len(made):,} rows, {made.shape[1]} columns, {target.stat().st_size / 1e6:.1f} MB: {target}")
