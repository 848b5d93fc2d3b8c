// One field of the form for each input column. A field knows its value, can be filled, and shows what is wrong with it.

import { chosen } from "./chosen.js";
import { h } from "./dom.js";
import { kindOf } from "./kinds.js";
import { speaker, typed } from "./typed.js";
import { title } from "./words.js";

/** The fields of these columns; the examples tell how their values are written. */
export function makeFields(facts) {
  const fields = facts.inputs.map((column, place) => {
    const values = facts.examples.map((row) => row[column.name]);
    return makeField(column, `field-${place}`, values);
  });
  if (facts.id !== null) fields.unshift(identifierField(facts));
  return fields;
}

function makeField(column, id, examples) {
  const kind = kindOf(column, examples);
  return kind.typed ? typed(column, id, kind.typed) : chosen(column, id, kind.chosen);
}

/** The case's own identifier, which is optional. */
function identifierField(facts) {
  const id = "field-id";
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const input = h("input", {
    id,
    name: facts.id,
    type: "text",
    autocomplete: "off",
    spellcheck: "false",
    maxlength: 255,
    "aria-describedby": `${id}-hint ${id}-problem`,
  });
  const say = speaker(input, message);
  input.addEventListener("input", () => say(""));
  const element = h(
    "div",
    { class: "field" },
    h(
      "div",
      { class: "label" },
      h("label", { for: id }, title(facts.id)),
      h("span", { class: "unknown" }, "may stay empty"),
    ),
    input,
    h("p", { id: `${id}-hint`, class: "hint" }, `By it the truth finds this ${facts.case} later`),
    message,
  );
  return {
    name: facts.id,
    element,
    say,
    focus: () => input.focus(),
    read: () => (input.value.trim() === "" ? {} : { value: input.value.trim() }),
    set(value) {
      input.value = value === null || value === undefined ? "" : String(value);
      say("");
    },
    shown: String,
  };
}
