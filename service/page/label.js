// Labels by keyboard, one case at a time: 1 to 9 for the classes, s to skip, u to go back.

import { ask } from "./ask.js";
import { byId, fill, h } from "./dom.js";
import { exact, readNumber } from "./numbers.js";
import { title } from "./words.js";

const NAME = "noria-name";
const KEYS = 9;

let facts = null;
let cases = [];
let place = 0;
let given = 0;
let sending = false;

async function open() {
  fill(byId("failure"));
  try {
    ({ facts, cases } = await ask("label/cases"));
  } catch (refusal) {
    fill(
      byId("failure"),
      h("p", { class: "notice bad" }, `${refusal.message} ${refusal.fix} `),
      h("button", { type: "button", click: open }, "Try again"),
    );
    return;
  }
  byId("name").value = localStorage.getItem(NAME) ?? "";
  byId("title").textContent = `${title(facts.target)} of this ${facts.case}?`;
  byId("lead").textContent = cases.length ? `${cases.length} cases wait for a label.` : "No case waits for a label.";
  if (cases.length === 0) return;
  byId("who").hidden = false;
  byId("name").focus();
}

function begin(event) {
  event.preventDefault();
  const name = byId("name").value.trim();
  byId("name-problem").textContent = name ? "" : "Enter your name.";
  if (!name) return byId("name").focus();
  localStorage.setItem(NAME, name);
  byId("who").hidden = true;
  byId("work").hidden = false;
  show();
}

function show() {
  fill(byId("problem"));
  byId("undo").disabled = place === 0;
  byId("skip").disabled = place >= cases.length;
  if (place >= cases.length) {
    byId("case-title").textContent = "That was the last case";
    byId("reason").textContent = `${given} labels are stored. Thank you.`;
    fill(byId("inputs"));
    fill(byId("choices"));
  } else {
    const { reason, inputs } = cases[place];
    byId("case-title").textContent = `Case ${place + 1} of ${cases.length}`;
    byId("reason").textContent = `Asked for because ${reason}.`;
    fill(byId("inputs"), ...Object.entries(inputs).flatMap(([name, value]) => [h("dt", {}, title(name)), h("dd", {}, text(value))]));
    fill(byId("choices"), facts.task === "regression" ? number() : classes());
  }
  byId("spoken").textContent = byId("case-title").textContent;
  (document.getElementById("truth") ?? byId("case-title")).focus();
}

function text(value) {
  if (value === null || value === "") return "missing";
  return typeof value === "number" ? exact(value) : String(value);
}

function classes() {
  const buttons = facts.classes.map((label, at) =>
    h("button", { type: "button", class: "choice", click: () => send(label) }, at < KEYS ? `${at + 1}  ${label}` : label),
  );
  return h("div", { class: "choices", role: "group", "aria-labelledby": "title" }, ...buttons);
}

function number() {
  const input = h("input", { id: "truth", type: "text", inputmode: "decimal", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    const read = input.value.trim() === "" ? { problem: "Enter the number." } : readNumber(input.value);
    if (read.problem) return complain(read.problem);
    send(read.value);
  };
  return h(
    "form",
    { class: "truth", novalidate: true, submit },
    h("label", { for: "truth" }, title(facts.target)),
    input,
    h("button", { type: "submit", class: "choice" }, "Store"),
  );
}

async function send(label) {
  if (sending || place >= cases.length) return;
  sending = true;
  byId("work").setAttribute("aria-busy", "true");
  try {
    const one = cases[place];
    await ask("feedback", { labels: [{ id: one.id, label, by: localStorage.getItem(NAME) }] });
    if (!one.labelled) given += 1;
    one.labelled = true;
    place += 1;
    show();
  } catch (refusal) {
    complain([refusal.message, ...(refusal.rows ?? []), refusal.fix].filter(Boolean).join(" "));
  } finally {
    sending = false;
    byId("work").setAttribute("aria-busy", "false");
  }
}

function complain(message) {
  fill(byId("problem"), h("p", { class: "wrong" }, message));
}

function move(by) {
  if (sending) return;
  place = Math.min(Math.max(place + by, 0), cases.length);
  show();
}

function pressed(event) {
  const typing = event.target.matches("input, textarea, select");
  if (byId("work").hidden || byId("token").open || typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "s") move(1);
  else if (event.key === "u") move(-1);
  else if (facts.task !== "regression" && /^[1-9]$/.test(event.key) && facts.classes.length >= Number(event.key))
    send(facts.classes[Number(event.key) - 1]);
}

byId("who").addEventListener("submit", begin);
byId("skip").addEventListener("click", () => move(1));
byId("undo").addEventListener("click", () => move(-1));
document.addEventListener("keydown", pressed);
open();
