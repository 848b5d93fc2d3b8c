// The answer: what the model expects, what to do, and what to be careful about.

import { byId, dots, fill, h } from "./dom.js";
import * as words from "./words.js";

/** Show the answer to one case. */
export function showAnswer(answer, facts) {
  const said = words.prediction(answer, facts);
  const todo = words.decision(answer, facts);
  const large = h("p", { class: /\d/.test(said.large) && said.large.length < 9 ? "large" : "large long" }, said.large);
  fill(
    byId("said"),
    h(
      "div",
      { class: "verdict" },
      said.dots === undefined ? null : dots(said.dots),
      h("div", {}, large, h("p", {}, said.text)),
    ),
    todo ? decided(answer.decision, todo) : null,
    cautions(answer.warnings.map((text) => words.warning(text, facts))),
  );
  fill(
    byId("print"),
    `Model version ${answer.version} · variant ${answer.variant} · answer ${answer.id} · ${new Date().toLocaleString("en-GB", { dateStyle: "long", timeStyle: "short" })}`,
  );
  byId("spoken").textContent = `${said.text} ${todo ? `${todo.word}.` : ""}`;
}

function decided(name, { word, reason }) {
  const marks = { act: "→", ask: "?", leave: "–" };
  return h(
    "p",
    { class: `decision ${name in marks ? name : "ask"}` },
    h("span", { class: "mark", "aria-hidden": "true" }, marks[name] ?? "?"),
    h("span", {}, h("strong", {}, `${word}.`), reason ? ` ${reason}` : ""),
  );
}

function cautions(sentences) {
  if (sentences.length === 0) return null;
  return h(
    "div",
    { class: "notice watch" },
    h("p", {}, h("strong", {}, "Take this answer with care:")),
    h("ul", {}, ...sentences.map((text) => h("li", {}, text))),
  );
}
