// Which field the service means when it refuses a row.

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
