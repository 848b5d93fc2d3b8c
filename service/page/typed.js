// A field in which something is typed.

import { h } from "./dom.js";
import { title } from "./words.js";

/** A field in which something is typed; left empty, it is not known. */
export function typed(column, id, kind) {
  let kept = "";
  const message = h("p", { id: `${id}-problem`, class: "wrong" });
  const doubt = h("p", { id: `${id}-doubt`, class: "doubt" });
  const described = [`${id}-hint`, `${id}-doubt`, `${id}-problem`].join(" ");
  const listed = kind.options ? { list: `${id}-list` } : {};
  const input = h("input", {
    id,
    name: column.name,
    "aria-describedby": described,
    placeholder: "not known",
    ...kind.attributes,
    ...listed,
  });
  const unknown = h("input", {
    type: "checkbox",
    id: `${id}-unknown`,
    "aria-label": `${title(column.name)}: not known`,
  });
  const look = () => {
    unknown.checked = input.value === "" && !input.validity.badInput;
    const read = unknown.checked ? {} : kind.read(input.value);
    doubt.textContent =
      read.value !== undefined && kind.doubt?.(read.value) ? "New to the model: the answer is less certain." : "";
  };
  input.addEventListener("input", () => {
    say("");
    look();
  });
  unknown.addEventListener("change", () => {
    if (unknown.checked) kept = input.value;
    input.value = unknown.checked ? "" : kept;
    say("");
    look();
    if (!unknown.checked) input.focus();
  });
  const say = speaker(input, message);
  const element = h(
    "div",
    { class: "field" },
    h(
      "div",
      { class: "label" },
      h("label", { for: id }, title(column.name)),
      h("label", { class: "unknown" }, unknown, "not known"),
    ),
    input,
    kind.options ? h("datalist", { id: `${id}-list` }, ...kind.options.map((value) => h("option", { value }))) : null,
    h("p", { id: `${id}-hint`, class: "hint" }, kind.hint),
    doubt,
    message,
  );
  return {
    name: column.name,
    element,
    say,
    focus: () => input.focus(),
    read() {
      if (input.validity.badInput) return { problem: "This date is not complete." };
      return input.value === "" ? { value: null } : kind.read(input.value);
    },
    set(value) {
      input.value = value === null || value === undefined ? "" : kind.write(value);
      kept = input.value;
      say("");
      look();
    },
    shown: (value) => (value === null ? "not known" : kind.shown(value)),
  };
}

/** What shows a problem at its control; an empty one takes it away. */
export function speaker(control, message) {
  return (problem) => {
    message.textContent = problem;
    control.setAttribute("aria-invalid", problem ? "true" : "false");
  };
}
