// One field of the form for each input column. A field knows its value, can be filled, and shows what is wrong with it.

import { h } from "./dom.js";
import { kindOf } from "./kinds.js";
import { title } from "./words.js";

const OWN = "\u0000own";
const UNKNOWN = "\u0000unknown";

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

/** A field in which something is typed; left empty, it is not known. */
function typed(column, id, kind) {
  let kept = "";
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const doubt = h("p", { id: `${id}-doubt`, class: "doubt" });
  const described = [`${id}-hint`, `${id}-doubt`, `${id}-problem`].join(" ");
  const listed = kind.options ? { list: `${id}-list` } : {};
  const input = h("input", { id, name: column.name, "aria-describedby": described, placeholder: "not known", ...kind.attributes, ...listed });
  const unknown = h("input", { type: "checkbox", id: `${id}-unknown`, "aria-label": `${title(column.name)}: not known` });
  const look = () => {
    unknown.checked = input.value === "" && !input.validity.badInput;
    const read = unknown.checked ? {} : kind.read(input.value);
    doubt.textContent = read.value !== undefined && kind.doubt?.(read.value) ? "New to the model: the answer is less certain." : "";
  };
  input.addEventListener("input", () => { say(""); look(); });
  unknown.addEventListener("change", () => {
    if (unknown.checked) kept = input.value;
    input.value = unknown.checked ? "" : kept;
    say("");
    look();
    if (!unknown.checked) input.focus();
  });
  const say = speaker(input, message);
  const element = h("div", { class: "field" },
    h("div", { class: "label" }, h("label", { for: id }, title(column.name)),
      h("label", { class: "unknown" }, unknown, "not known")),
    input,
    kind.options ? h("datalist", { id: `${id}-list` }, ...kind.options.map((value) => h("option", { value }))) : null,
    h("p", { id: `${id}-hint`, class: "hint" }, kind.hint), doubt, message);
  return {
    name: column.name, element, say,
    focus: () => input.focus(),
    read() {
      if (input.validity.badInput) return { problem: "This date is not complete." };
      return input.value === "" ? { value: null } : kind.read(input.value);
    },
    set(value) { input.value = value === null || value === undefined ? "" : kind.write(value); kept = input.value; say(""); look(); },
    shown: (value) => (value === null ? "not known" : kind.shown(value)),
  };
}

/** A field in which a known value is chosen, or one's own is typed. */
function chosen(column, id, { options, own }) {
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const input = h("input", {
    id: `${id}-own`, type: "text", "aria-label": `${title(column.name)}: another value`, "aria-describedby": `${id}-own-hint ${id}-problem`,
    autocomplete: "off", spellcheck: "false",
  });
  const extra = h("div", { class: "own", hidden: true }, input,
    h("p", { class: "doubt", id: `${id}-own-hint` }, "New to the model: the answer is less certain."));
  const select = h("select", { id, name: column.name, "aria-describedby": `${id}-problem` },
    ...options.map(([value, text]) => h("option", { value }, text)),
    own ? h("option", { value: OWN }, "Another value …") : null,
    h("option", { value: UNKNOWN }, "Not known"));
  const say = speaker(select, message);
  const show = () => { extra.hidden = select.value !== OWN; };
  select.addEventListener("change", () => { say(""); show(); if (select.value === OWN) input.focus(); });
  input.addEventListener("input", () => say(""));
  const element = h("div", { class: "field" },
    h("div", { class: "label" }, h("label", { for: id }, title(column.name))), select, extra, message);
  const textOf = (value) => (value === true ? "True" : value === false ? "False" : String(value));
  return {
    name: column.name, element, say,
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
    shown: (value) => (value === null ? "not known" : options.find(([option]) => option === textOf(value))?.[1] ?? textOf(value)),
  };
}

/** The case's own identifier, which nobody has to give. */
function identifierField(facts) {
  const id = "field-id";
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const input = h("input", { id, name: facts.id, type: "text", autocomplete: "off", spellcheck: "false", maxlength: 255, "aria-describedby": `${id}-hint ${id}-problem` });
  const say = speaker(input, message);
  input.addEventListener("input", () => say(""));
  const element = h("div", { class: "field" },
    h("div", { class: "label" }, h("label", { for: id }, title(facts.id)), h("span", { class: "unknown" }, "may stay empty")),
    input, h("p", { id: `${id}-hint`, class: "hint" }, `By it the truth finds this ${facts.case} later`), message);
  return {
    name: facts.id, element, say,
    focus: () => input.focus(),
    read: () => (input.value.trim() === "" ? {} : { value: input.value.trim() }),
    set(value) { input.value = value === null || value === undefined ? "" : String(value); say(""); },
    shown: String,
  };
}

function speaker(control, message) {
  return (problem) => {
    message.textContent = problem;
    control.setAttribute("aria-invalid", problem ? "true" : "false");
  };
}
