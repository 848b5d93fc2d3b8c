// Why: a bar for each entry that moved the answer.

import { byId, fill, h } from "./dom.js";
import { signed, step } from "./numbers.js";
import { otherVoice, start, title } from "./words.js";

const FEW = 8; // reasons that are shown at first

/** Say that the reasons are on their way. */
export function awaitReasons() {
  fill(byId("why"), h("h3", {}, "Why"), h("p", { class: "soft" }, "One moment …"));
}

/** Say why there are no reasons; `again` asks for them once more. */
export function missReasons(refusal, again) {
  fill(
    byId("why"),
    h("h3", {}, "Why"),
    h("p", { class: "notice watch" }, `The reasons cannot be shown. ${refusal.message} ${refusal.fix}`),
    h("p", {}, h("button", { type: "button", class: "quiet", click: again }, "Ask for the reasons again")),
  );
}

/** Show what moved the answer, the strongest first; `display` writes a column's value as the form does. */
export function showReasons(explanation, answer, facts, display) {
  const [moved, idle] = parted(explanation.contributions);
  const voice = otherVoice(explanation, answer);
  if (moved.length === 0) {
    fill(byId("why"), h("h3", {}, "Why"), h("p", {}, `For every ${facts.case} the model says the same.`));
    return;
  }
  fill(
    byId("why"),
    h("h3", {}, "Why"),
    h("p", {}, start(explanation, facts)),
    voice ? h("p", { class: "soft" }, voice) : null,
    ends(facts),
    ...bars(moved, facts, display),
    idle.length > 0
      ? h("p", { class: "soft" }, `Without influence here: ${idle.map(({ feature }) => title(feature)).join(", ")}.`)
      : null,
    h(
      "p",
      { class: "soft" },
      `These are the reasons of the model. They need not be causes: changing one of them may change nothing for this ${facts.case}.`,
    ),
  );
}

function parted(contributions) {
  const moved = contributions.filter(({ contribution }) => contribution !== 0);
  return [moved, contributions.filter(({ contribution }) => contribution === 0)];
}

/** The list, and a button for the weak ones if there are any. */
function bars(moved, facts, display) {
  const scale = facts.task === "regression" ? 1 : 100;
  const amounts = moved.map(({ contribution }) => scale * contribution);
  const largest = Math.max(...amounts.map(Math.abs));
  const by = scale === 100 && largest >= 5 ? 1 : step(largest);
  const strong = amounts.filter((amount, place) => place < FEW && Math.abs(amount) >= by / 2).length;
  const list = h("ul", { class: "reasons" });
  const draw = (many) => {
    const rest = amounts.slice(many).reduce((sum, amount) => sum + amount, 0);
    fill(
      list,
      ...moved
        .slice(0, many)
        .map(({ feature, value }, place) =>
          bar(title(feature), display(feature, value), amounts[place], largest, many > strong ? by / 10 : by, facts),
        ),
      many < moved.length ? bar(others(moved.length - many), "", rest, largest, by, facts) : null,
    );
  };
  draw(strong);
  return strong < moved.length
    ? [
        list,
        h(
          "p",
          {},
          switchButton(`Show all ${moved.length}`, (all) => draw(all ? moved.length : strong)),
        ),
      ]
    : [list];
}

function switchButton(text, change) {
  const button = h("button", { type: "button", class: "quiet", "aria-expanded": "false" }, text);
  button.addEventListener("click", () => {
    const on = button.getAttribute("aria-expanded") === "false";
    button.setAttribute("aria-expanded", String(on));
    button.textContent = on ? "Show the strongest only" : text;
    change(on);
  });
  return button;
}

const others = (many) => (many === 1 ? "One other entry" : `${many} other entries together`);
const directions = (facts) => (facts.task === "regression" ? ["lower", "higher"] : ["less likely", "more likely"]);

function ends(facts) {
  const [less, more] = directions(facts);
  return h("p", { class: "ends", "aria-hidden": "true" }, h("span", {}, `◀ ${less}`), h("span", {}, `${more} ▶`));
}

function bar(name, value, amount, largest, by, facts) {
  const [less, more] = directions(facts);
  const length = h("span", { class: "bar" });
  length.style.width = `${(50 * Math.min(1, Math.abs(amount) / largest)).toFixed(2)}%`;
  const unit = facts.task === "regression" ? "" : " of 100";
  return h(
    "li",
    { class: amount < 0 ? "down" : "up" },
    h("span", { class: "name" }, value === "" ? name : `${name}: `, value === "" ? "" : h("b", {}, value)),
    h(
      "span",
      { class: "amount" },
      signed(amount, by),
      h("span", { class: "unseen" }, `${unit}, ${amount < 0 ? less : more}`),
    ),
    h("span", { class: "track", "aria-hidden": "true" }, length),
  );
}
