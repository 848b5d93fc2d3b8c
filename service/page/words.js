// What the page says, in words for people who know the business and not the model.

import { exact, rounded, shown } from "./numbers.js";

/** `monthly_charges` → "Monthly charges". */
export function title(name) {
  const words =
    name
      .replace(/([a-z])([A-Z])/g, "$1 $2")
      .replace(/[_\s]+/g, " ")
      .trim() || name;
  const spelled = words.replace(/\b(id|tv|url|ip)\b/gi, (short) => short.toUpperCase());
  return spelled.charAt(0).toUpperCase() + spelled.slice(1);
}

/** "customers", "cities", "boxes". */
export function plural(word) {
  if (/[^aeiou]y$/.test(word)) return `${word.slice(0, -1)}ies`;
  return word + (/(s|x|ch|sh)$/.test(word) ? "es" : "s");
}

/** What may come true, as the table says it: “churn: Yes”. */
export function outcome(facts, label) {
  return `“${inText(facts.target)}: ${label}”`;
}

/** A column's name in the middle of a sentence. */
export function inText(name) {
  const words = title(name);
  return /^[A-Z][a-z]/.test(words) ? words.charAt(0).toLowerCase() + words.slice(1) : words;
}

/** The page's first sentence. */
export function lead(facts) {
  const each = `Describe one ${facts.case}.`;
  if (facts.task === "regression")
    return `${each} The service says which “${inText(facts.target)}” to expect, and why.`;
  if (facts.task === "binary") {
    return `${each} The service says how likely ${outcome(facts, facts.positive)} is, what to do, and why.`;
  }
  return `${each} The service says which “${inText(facts.target)}” to expect, how sure that is, and why.`;
}

/** A probability as people count: {count: "63 of 100", dots: 63}. */
export function counted(probability, digits = 0) {
  const percent = 100 * probability;
  if (percent > 0 && percent < 0.1) return { count: "fewer than 1 of 1,000", about: "", dots: 0 };
  if (percent > 0 && percent < 0.95)
    return { count: `${Math.round(10 * percent)} of 1,000`, about: "about ", dots: percent < 0.5 ? 0 : 1 };
  if (percent < 100 && percent > 99.5) return { count: "more than 99 of 100", about: "", dots: 99 };
  const number = percent.toFixed(digits);
  return { count: `${number} of 100`, about: "about ", dots: Math.round(percent) };
}

/** The main sentence of an answer: {large, text, dots}. */
export function prediction(answer, facts) {
  if (facts.task === "regression") {
    const expected = rounded(answer.prediction);
    return {
      large: expected,
      text: `For this ${facts.case} the model expects “${inText(facts.target)}” to be about ${expected}.`,
    };
  }
  const label = facts.task === "binary" ? facts.positive : answer.prediction;
  const { count, about, dots } = counted(answer.probability, decimals(answer, facts));
  const [some, all] = count.split(" of ");
  const turn = /(^| )1$/.test(some) ? "turns out" : "turn out";
  const such = `Of ${all} ${plural(facts.case)} like this one, ${about}${some} ${turn} ${outcome(facts, label)}.`;
  return { large: facts.task === "binary" ? count : String(answer.prediction), text: such, dots };
}

/** One decimal where a whole number would seem to be on the other side of the limit. */
function decimals(answer, facts) {
  const limit = facts.task === "binary" ? facts.policy.threshold : facts.policy.review_below;
  if (typeof limit !== "number") return 0;
  const seems = Math.round(100 * answer.probability) >= 100 * limit;
  return seems === answer.probability >= limit ? 0 : 1;
}

/** What to do and by which rule: {word, reason}; null where the use case sets no rule. */
export function decision(answer, facts) {
  const reason =
    facts.kind === "rules" && facts.task !== "regression" ? "Your written rules say so." : rule(answer, facts);
  if (reason === null) return null;
  const words = {
    act: facts.task === "multiclass" ? "Go by this answer" : "Act",
    ask: "Let a person decide",
    leave: "Do nothing",
  };
  return { word: words[answer.decision] ?? answer.decision, reason };
}

function rule(answer, facts) {
  const { threshold, review_margin: within, review_below: below, act_from: above } = facts.policy;
  if (facts.task === "regression") {
    if (typeof above !== "number") return null;
    const acts = answer.prediction >= above ? "act" : "leave";
    return acts === answer.decision ? actsFrom(shown(above), acts) : "";
  }
  if (facts.task === "multiclass") {
    if (!(below > 0)) return null;
    const asks = answer.probability < below ? "ask" : "act";
    return asks !== answer.decision ? "" : `The rule is to ask a person below ${of100(below)}.`;
  }
  if (typeof threshold !== "number") return null;
  const near = within > 0 && Math.abs(answer.probability - threshold) <= within;
  const expected = near ? "ask" : answer.probability >= threshold ? "act" : "leave";
  if (expected !== answer.decision) return ""; // the rule was changed since the page was opened
  if (near) return `The rule is to act from ${of100(threshold)} on, and this is too close to tell.`;
  return actsFrom(of100(threshold), expected);
}

const actsFrom = (limit, decision) => `The rule is to act ${decision === "act" ? "" : "only "}from ${limit} on.`;

const of100 = (share) => `${exact(Number((100 * share).toFixed(1)))} of 100`;

/** A warning of the service in a sentence. */
export function warning(text, facts) {
  const column = facts.inputs.find(({ name }) => text.startsWith(`${name}: `));
  if (!column) return text;
  const rest = text.slice(column.name.length + 2);
  const unseen = /^unseen category ['"](.*)['"]$/s.exec(rest);
  if (unseen) return `${title(column.name)}: the model has never met “${unseen[1]}”.`;
  const range = /^(\S+) is outside the training range (.+)–(.+)$/.exec(rest);
  if (range)
    return `${title(column.name)}: ${range[1]} is outside what the model has met so far (${range[2]} to ${range[3]}).`;
  return `${title(column.name)}: ${rest}`;
}

/** Why: where the answer starts, and where the entries take it. */
export function start(explanation, facts) {
  const cases = plural(facts.case);
  if (facts.task === "regression") {
    const [from, to] = [explanation.baseline, explanation.score].map(rounded);
    return `For ${cases} in general the model expects ${from}. What you entered makes it ${to}:`;
  }
  const label = facts.task === "binary" ? facts.positive : explanation.prediction;
  const [from, to] = [explanation.baseline, explanation.score].map((share) => counted(share).count);
  return `Of ${cases} in general the model expects ${from} to turn out ${outcome(facts, label)}. What you entered makes it ${to}:`;
}

/** Said when one model answered and another one gives the reasons; else nothing. */
export function otherVoice(explanation, answer) {
  const { variant = answer.variant, version = answer.version } = explanation;
  if (variant === answer.variant && version === answer.version) return "";
  return `The answer came from variant ${answer.variant}, version ${answer.version}; these are the reasons of ${variant}, version ${version}.`;
}

/** Thanks for the truth, and what it says about the answer. */
export function thanks(answer, label, facts, trial = false) {
  const noted = trial ? "It is not kept, as you are just trying." : "Thank you, that is noted.";
  if (facts.task === "regression") {
    const off = Math.abs(Number(label) - answer.prediction);
    return `${noted} The answer was off by ${shown(Number(off.toPrecision(2)), 3)}.`;
  }
  if (facts.task === "multiclass") {
    const right = label === String(answer.prediction);
    return right
      ? `${noted} The answer was right.`
      : `${noted} The answer was ${outcome(facts, answer.prediction)}.`;
  }
  const given = label === facts.positive ? answer.probability : 1 - answer.probability;
  return `${noted} The model expected it for ${counted(given).count} such ${plural(facts.case)}.`;
}
