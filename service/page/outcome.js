// Was it right? What the person says goes to the service as the true label.

import { ask } from "./ask.js";
import { byId, fill, h } from "./dom.js";
import { readNumber } from "./numbers.js";
import { inText, outcome, thanks } from "./words.js";

const FEW = 4; // classes that get a button each
const WANTED = "As soon as you know how it turned out, say so here: it shows how good the model really is.";
const TRIED = "You are just trying: what you say here is checked, but it does not count and is not kept.";

/** Ask how it turned out; of a trial nothing is kept. */
export function askOutcome(answer, facts, trial) {
  const problem = h("p", { class: "wrong", role: "alert" });
  const send = async (label) => {
    if (box.getAttribute("aria-busy") === "true") return;
    box.setAttribute("aria-busy", "true");
    problem.textContent = "";
    try {
      await ask("feedback", { labels: [{ id: answer.id, label }] }, trial);
      thank(answer, label, facts, trial);
    } catch (refusal) {
      problem.textContent = [refusal.message, ...(refusal.rows ?? []), refusal.fix].filter(Boolean).join(" ");
    } finally {
      box.setAttribute("aria-busy", "false");
    }
  };
  const box = h(
    "div",
    { class: "choices", role: "group", "aria-labelledby": "outcome-title" },
    ...choices(facts, send, problem),
  );
  fill(
    byId("outcome"),
    h("h3", { id: "outcome-title" }, "Was it right?"),
    h("p", {}, trial ? TRIED : WANTED),
    box,
    problem,
  );
}

function choices(facts, send, problem) {
  if (facts.task === "regression") return [number(facts, send, problem)];
  if (facts.classes.length > FEW) return [list(facts, send)];
  const labels = facts.task === "binary" ? [...facts.classes].reverse() : facts.classes;
  return labels.map((label) =>
    h("button", { type: "button", class: "choice", click: () => send(label) }, `It was ${outcome(facts, label)}`),
  );
}

function number(facts, send, problem) {
  const input = h("input", { id: "truth", type: "text", inputmode: "decimal", autocomplete: "off" });
  const submit = (event) => {
    event.preventDefault();
    const read = input.value.trim() === "" ? { problem: "Enter the number." } : readNumber(input.value);
    problem.textContent = read.problem ?? "";
    if (read.problem) input.focus();
    else send(read.value);
  };
  return h(
    "form",
    { class: "truth", novalidate: true, submit },
    h("label", { for: "truth" }, `“${inText(facts.target)}” was`),
    input,
    h("button", { type: "submit", class: "choice" }, "Send"),
  );
}

function list(facts, send) {
  const select = h("select", { id: "truth" }, ...facts.classes.map((label) => h("option", { value: label }, label)));
  const submit = (event) => {
    event.preventDefault();
    send(select.value);
  };
  return h(
    "form",
    { class: "truth", submit },
    h("label", { for: "truth" }, `“${inText(facts.target)}” was`),
    select,
    h("button", { type: "submit", class: "choice" }, "Send"),
  );
}

function thank(answer, label, facts, trial) {
  const said = h("p", { class: "notice good", tabindex: "-1", role: "status" }, thanks(answer, label, facts, trial));
  const correct = h(
    "button",
    { type: "button", class: "quiet", click: () => askOutcome(answer, facts, trial) },
    "I was wrong: change it",
  );
  fill(byId("outcome"), h("h3", {}, "Was it right?"), said, h("p", {}, correct));
  said.focus();
}
