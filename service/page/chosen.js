// A field in which a known value is chosen, or one's own is typed.

import { h } from "./dom.js";
import { speaker } from "./typed.js";
import { title } from "./words.js";

const OWN = "\u0000own";
const UNKNOWN = "\u0000unknown";

/** A field in which a known value is chosen, or one's own is typed. */
export function chosen(column, id, { options, own }) {
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const input = h("input", {
    id: `${id}-own`,
    type: "text",
    "aria-label": `${title(column.name)}: another value`,
    "aria-describedby": `${id}-own-hint ${id}-problem`,
    autocomplete: "off",
    spellcheck: "false",
  });
  const extra = h(
    "div",
    { class: "own", hidden: true },
    input,
    h("p", { class: "doubt", id: `${id}-own-hint` }, "New to the model: the answer is less certain."),
  );
  const select = h(
    "select",
    { id, name: column.name, "aria-describedby": `${id}-problem` },
    ...options.map(([value, text]) => h("option", { value }, text)),
    own ? h("option", { value: OWN }, "Another value …") : null,
    h("option", { value: UNKNOWN }, "Not known"),
  );
  const say = speaker(select, message);
  const show = () => {
    extra.hidden = select.value !== OWN;
  };
  select.addEventListener("change", () => {
    say("");
    show();
    if (select.value === OWN) input.focus();
  });
  input.addEventListener("input", () => say(""));
  const element = h(
    "div",
    { class: "field" },
    h("div", { class: "label" }, h("label", { for: id }, title(column.name))),
    select,
    extra,
    message,
  );
  const textOf = (value) => (value === true ? "True" : value === false ? "False" : String(value));
  return {
    name: column.name,
    element,
    say,
    focus: () => (select.value === OWN ? input : select).focus(),
    read() {
      if (select.value === UNKNOWN) return { value: null };
      if (select.value !== OWN) return { value: options.find(([value]) => value === select.value)[2] };
      if (input.value.trim() === "") return { problem: "Write the value, or choose “Not known”." };
      return own(input.value);
    },
    set(value) {
      const known = value !== null && value !== undefined && options.some(([option]) => option === textOf(value));
      if (value === null || value === undefined || (!known && !own)) select.value = UNKNOWN;
      else select.value = known ? textOf(value) : OWN;
      input.value = select.value === OWN ? textOf(value) : "";
      say("");
      show();
    },
    shown: (value) =>
      value === null ? "not known" : (options.find(([option]) => option === textOf(value))?.[1] ?? textOf(value)),
  };
}
