// What a person may want to know of the model behind the answers.

import { byId, fill, h } from "./dom.js";
import { rounded, shown } from "./numbers.js";
import { inText, outcome, plural, title } from "./words.js";

const KINDS = {
  rules: "your own written rules",
  dummy: "a constant answer",
  linear: "a linear model",
  tree: "a small decision tree",
  forest: "a random forest: many decision trees that vote",
  xgboost: "boosted trees: many small decision trees, each mending what those before got wrong",
};

/** Fill in the details of the model. */
export function showAbout(facts) {
  const rows = [
    ["Answers", `“${inText(facts.target)}” of one ${facts.case}`],
    ["Kind", KINDS[facts.kind] ?? facts.kind],
    ["How good it is", quality(facts)],
    ["Made", new Date(facts.created_at).toLocaleDateString("en-GB", { dateStyle: "long" })],
    ["Version", `${facts.version}, in service as ${facts.variant}`],
  ];
  fill(
    byId("about-facts"),
    ...rows.filter(([, text]) => text).flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]),
  );
  byId("about").hidden = false;
}

/** The main metric on the test rows in a sentence, if there is one. */
export function quality(facts) {
  const value = facts.metrics[facts.metric]?.value;
  if (typeof value !== "number") return "";
  const cases = plural(facts.case);
  const of100 = `${Math.round(100 * value)} of 100`;
  switch (facts.metric) {
    case "roc_auc":
      return `Of two ${cases}, one that is ${outcome(facts, facts.positive)} and one that is not, it finds the first ${of100} times; 50 of 100 would be tossing a coin.`;
    case "accuracy":
      return `It was right for ${of100} ${cases} that it had never met.`;
    case "mae":
      return `It was off by ${rounded(value)} on average, on ${cases} that it had never met.`;
    case "rmse":
      return `It was off by about ${rounded(value)}, on ${cases} that it had never met; large errors count more.`;
    case "r2":
      return `It followed ${of100} parts of the ups and downs of “${inText(facts.target)}”, on ${cases} that it had never met.`;
    default:
      return `${title(facts.metric)} ${shown(value, 3)}, on ${cases} that it had never met.`;
  }
}
