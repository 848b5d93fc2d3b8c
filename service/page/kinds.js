// How the values of a column are written: typed as a number, a date or a text, or chosen from a list.

import { exact, readNumber, shown } from "./numbers.js";

const LISTED = 60; // more categories than this are searched by typing
const SORTED = 8; // more than this are easier to find in order than the most frequent first
const DAY = 86400;

/** `{typed}` or `{chosen}`, as suits a column; the examples (values or null) tell what its ranges do not. */
export function kindOf(column, examples) {
  if (column.kind === "datetime") return { typed: dateInput(column, examples) };
  if (column.kind === "number")
    return isFlag(column, examples) ? { chosen: flagChoices() } : { typed: numberInput(column) };
  const listed = column.categories.length;
  return listed > LISTED || listed === 0 ? { typed: textInput(column) } : { chosen: categoryChoices(column) };
}

/** A column that is only ever 0 or 1 is a question with yes or no. */
function isFlag(column, examples) {
  const known = examples.filter((value) => value !== null && value !== undefined);
  return (
    column.minimum === 0 &&
    column.maximum === 1 &&
    known.length > 0 &&
    known.every((value) => value === 0 || value === 1)
  );
}

function numberInput(column) {
  const known = column.minimum !== null && column.maximum !== null;
  return {
    attributes: { type: "text", inputmode: "decimal", autocomplete: "off" },
    hint: known ? `Known so far: ${shown(column.minimum, 10)} to ${shown(column.maximum, 10)}` : "",
    read: readNumber,
    write: exact,
    shown: (value) => (typeof value === "number" ? exact(value) : String(value)),
    doubt: (number) => known && (number < column.minimum || number > column.maximum),
  };
}

function dateInput(column, examples) {
  const clock =
    [column.minimum, column.maximum].some((end) => end !== null && end % DAY !== 0) ||
    examples.some((value) => typeof value === "string" && !/T00:00(:00(\.0+)?)?(Z|\+00:00)?$|^[^T ]+$/.test(value));
  const cut = (value) =>
    String(value)
      .replace(" ", "T")
      .slice(0, clock ? 16 : 10);
  const day = (end) => new Date(1000 * end).toISOString().slice(0, 10);
  return {
    attributes: { type: clock ? "datetime-local" : "date" },
    hint: column.minimum === null ? "" : `Known so far: ${day(column.minimum)} to ${day(column.maximum)}`,
    read: (text) => ({ value: text }),
    write: cut,
    shown: (value) => cut(value).replace("T", " "),
  };
}

function textInput(column) {
  return {
    attributes: { type: "text", autocomplete: "off", spellcheck: "false" },
    hint: column.categories.length > 0 ? "Begin to type to see the known values" : "",
    options: column.categories,
    read: (text) => ({ value: text }),
    write: String,
    shown: String,
    doubt: (text) => column.categories.length > 0 && !column.categories.includes(text),
  };
}

function flagChoices() {
  return {
    options: [
      ["1", "Yes", 1],
      ["0", "No", 0],
    ],
    own: readNumber,
  };
}

function categoryChoices(column) {
  const names = new Map([
    ["True", "Yes"],
    ["False", "No"],
  ]);
  if (column.categories.length > 0 && column.categories.every((value) => names.has(value))) {
    return { options: column.categories.map((value) => [value, names.get(value), value]), own: null };
  }
  const order = [...column.categories];
  if (order.length > SORTED) order.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  return { options: order.map((value) => [value, value, value]), own: (text) => ({ value: text }) };
}
