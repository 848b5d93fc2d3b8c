// What stands in the way of an answer: which field is meant, and what is to be done.

import { byId, fill, h } from "./dom.js";
import { title } from "./words.js";

const MISSING = "Fill this in, or say that it is not known.";

/** {wrong: [[field, sentence]], rest: [sentence]} from the service's own words, such as "tenure: 'a' is not a number". */
export function misfits(rows, fields) {
  const wrong = [];
  const rest = [];
  for (const problem of (rows ?? []).flatMap((text) => text.split("; "))) {
    const found = named(problem, fields);
    if (found.length > 0) wrong.push(...found);
    else rest.push(capital(problem));
  }
  return { wrong, rest };
}

function named(problem, fields) {
  const field = fields.find(({ name }) => problem.startsWith(`${name}: `));
  if (field) return [[field, said(problem.slice(field.name.length + 2))]];
  const absent = /^(.*): missing$/s.exec(problem);
  if (!absent) return [];
  const names = absent[1].split(", ");
  return fields.filter(({ name }) => names.includes(name)).map((one) => [one, MISSING]);
}

function said(text) {
  if (text === "missing") return MISSING;
  return capital(text.replace(/^['"](.*)['"] is /s, "“$1” is "));
}

const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

/** A refusal as a box, with whatever else belongs into it. */
export function notice(refusal, ...more) {
  const first = h("p", {}, h("strong", {}, refusal.message), refusal.fix ? ` ${refusal.fix}` : "");
  return h("div", { class: "notice bad" }, first, ...more);
}

/** Show what is wrong below the form and at its fields: [[field, sentence]]. */
export function complain(wrong) {
  const links = wrong.map(([field, problem]) => {
    const link = h("button", { type: "button", class: "link", click: () => field.focus() }, title(field.name));
    return h("li", {}, link, `: ${problem}`);
  });
  wrong.forEach(([field, problem]) => field.say(problem));
  const count = wrong.length === 1 ? "One entry needs" : `${wrong.length} entries need`;
  fill(byId("problem"), notice({ message: `${count} your attention.` }, h("ul", {}, ...links)));
  wrong[0][0].focus();
}

/** Show why the service gave no answer. */
export function showRefusal(refusal, fields) {
  if (refusal.status === undefined) throw refusal; // a mistake of the page itself
  const { wrong, rest } = misfits(refusal.rows, fields);
  if (wrong.length > 0 && rest.length === 0) return complain(wrong);
  wrong.forEach(([field, problem]) => field.say(problem));
  fill(byId("problem"), notice(refusal, ...rest.map((text) => h("p", {}, text))));
}
