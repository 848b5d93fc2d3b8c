// The page: asks the service what it takes, makes the form, sends it, and shows what comes back.

import { showAbout } from "./about.js";
import { showAnswer } from "./answer.js";
import { ask } from "./ask.js";
import { byId, fill, h } from "./dom.js";
import { makeFields } from "./fields.js";
import { askOutcome } from "./outcome.js";
import { complain, notice, showRefusal } from "./problems.js";
import { awaitReasons, missReasons, showReasons } from "./reasons.js";
import { decision, lead, title } from "./words.js";

let facts = null;
let fields = [];
let example = 0;
let answered = false;

async function open() {
  fill(byId("failure"));
  try {
    adopt(await ask("model"));
  } catch (refusal) {
    byId("lead").textContent = "";
    fill(byId("failure"), notice(refusal, h("p", {}, h("button", { type: "button", click: open }, "Try again"))));
    return;
  }
  byId("work").hidden = false;
  fillIn(0);
}

/** Take over what the service says of its model; the form is made again if its columns are others. */
function adopt(model) {
  const before = facts;
  facts = { ...model, case: model.case ?? "case", examples: model.examples ?? [], variants: model.variants ?? [] };
  document.title = title(facts.name);
  byId("title").textContent = title(facts.name);
  byId("lead").textContent = lead(facts);
  byId("case-title").textContent = `This ${facts.case}`;
  byId("example").hidden = facts.examples.length === 0;
  showAbout(facts);
  if (before !== null && JSON.stringify([before.inputs, before.id]) === JSON.stringify([facts.inputs, facts.id]))
    return;
  const entered = new Map(fields.map((field) => [field.name, field.read().value]));
  fields = makeFields(facts);
  fields.forEach((field) => field.set(entered.get(field.name)));
  fill(byId("fields"), ...fields.map(({ element }) => element));
}

function fillIn(place) {
  example = facts.examples.length > 0 ? place % facts.examples.length : -1;
  const row = facts.examples[example] ?? {};
  fields.forEach((field) => field.set(row[field.name]));
  byId("trial").checked = example >= 0;
  const which = facts.examples.length > 1 ? `example ${example + 1} of ${facts.examples.length}` : "an example";
  byId("filled").textContent = example < 0 ? "" : `Filled with ${which}. Change what you like.`;
  changed();
}

function empty() {
  fields.forEach((field) => field.set(null));
  byId("trial").checked = false;
  byId("filled").textContent = "Nothing is known yet. What you leave so counts as not known.";
  fields[0]?.focus();
  changed();
}

/** The answer on the page belongs to other entries now. */
function changed() {
  fill(byId("problem"));
  if (!answered) return;
  byId("answer").classList.add("stale");
  fill(byId("waiting"), "An entry has changed since. Send the form again for a new answer.");
  byId("waiting").hidden = false;
}

async function send(event) {
  event.preventDefault();
  if (byId("case").getAttribute("aria-busy") === "true") return;
  fill(byId("problem"));
  const read = fields.map((field) => [field, field.read()]);
  read.forEach(([field, { problem }]) => field.say(problem ?? ""));
  const wrong = read.filter(([, { problem }]) => problem).map(([field, { problem }]) => [field, problem]);
  if (wrong.length > 0) return complain(wrong);
  const row = Object.fromEntries(
    read.filter(([, { value }]) => value !== undefined).map(([field, { value }]) => [field.name, value]),
  );
  const trial = byId("trial").checked;
  busy(true);
  try {
    const {
      predictions: [answer],
    } = await ask("predict", { rows: [row] }, trial);
    await catchUp(answer);
    show(answer, row, trial);
  } catch (refusal) {
    showRefusal(refusal, fields);
  } finally {
    busy(false);
  }
}

/** Ask for the model's facts again if they do not fit the answer: another model or another rule is in service now. */
async function catchUp(answer) {
  const known =
    answer.version === facts.version ||
    facts.variants.some(({ name, version }) => name === answer.variant && version === answer.version);
  if (known && decision(answer, factsOf(answer))?.reason !== "") return;
  try {
    adopt(await ask("model"));
  } catch {
    // the answer matters more than what is said of the model
  }
}

/** The facts, with kind and rule of the variant that answered. */
function factsOf(answer) {
  const variant = facts.variants.find(({ name }) => name === answer.variant);
  return variant ? { ...facts, kind: variant.kind, policy: variant.policy } : facts;
}

function show(answer, row, trial) {
  answered = true;
  byId("answer").classList.remove("stale");
  byId("waiting").hidden = true;
  showAnswer(answer, factsOf(answer));
  askOutcome(answer, facts, trial);
  explain(answer, row, trial);
  comeInSight(byId("answer"));
}

function comeInSight(element) {
  const { top } = element.getBoundingClientRect();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (top < 0 || top > innerHeight / 2) element.scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

async function explain(answer, row, trial) {
  awaitReasons();
  try {
    const {
      explanations: [explanation],
    } = await ask("explain", { rows: [row] }, trial);
    const display = (name, value) => fields.find((field) => field.name === name)?.shown(value) ?? String(value);
    if (byId("print").textContent.includes(answer.id)) showReasons(explanation, answer, facts, display);
  } catch (refusal) {
    missReasons(refusal, () => explain(answer, row, trial));
  }
}

function busy(is) {
  byId("case").setAttribute("aria-busy", String(is));
  byId("answer").setAttribute("aria-busy", String(is));
  byId("send").textContent = is ? "One moment …" : "Get the answer";
}

byId("case").addEventListener("submit", send);
byId("case").addEventListener("input", changed);
byId("case").addEventListener("change", changed);
byId("example").addEventListener("click", () => fillIn(example + 1));
byId("empty").addEventListener("click", empty);
open();
