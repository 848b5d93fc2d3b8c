// Numbers as people write and read them.

const MINUS = "\u2212";
const SPACES = /[\s\u00a0\u202f'’]/g;

/**
 * The number that was meant: {value}, or {problem} in words.
 * A comma counts as the decimal mark, because many telephones offer no point; where it may also part thousands,
 * the person is asked.
 */
export function readNumber(text) {
  const plain = text.trim().replace(SPACES, "").replace(MINUS, "-");
  if (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain)) return finite(Number(plain));
  if (/^[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?$/.test(plain)) {
    const whole = plain.replaceAll(",", "");
    return { problem: `Write ${whole} without a comma; if the comma begins the decimals, add a zero at the end.` };
  }
  if (/^[+-]?\d+,\d+$/.test(plain)) return finite(Number(plain.replace(",", ".")));
  return { problem: `“${text.trim().slice(0, 40)}” is not a number.` };
}

function finite(number) {
  return Number.isFinite(number) ? { value: number } : { problem: "This number is too large." };
}

/** A number with at most so many significant digits: 1,890 or 70.3 or 0.042. */
export function shown(number, digits = 4) {
  const size = Math.abs(number);
  if (size >= 1e15 || (size > 0 && size < 1e-6)) return number.toExponential(2).replace("-", MINUS);
  const options = size >= 10 ** digits ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits };
  return new Intl.NumberFormat("en", options).format(number).replace("-", MINUS);
}

/** The value as it was, without the last digits that only come from the arithmetic. */
export function exact(number) {
  return String(Number(number.toPrecision(15)));
}

/** A prediction for people: three significant digits, from a thousand on the last ones are zeros. */
export function rounded(number) {
  return shown(Number(number.toPrecision(3)), 3);
}

/** The smallest step worth telling when the largest of several effects is `largest`. */
export function step(largest) {
  if (!(largest > 0)) return 1;
  const size = Math.floor(Math.log10(largest));
  return 10 ** (size >= 3 ? size - 2 : Math.min(0, size - 1));
}

/** An effect with its sign, in whole steps: +17 or −0.4 or 0. */
export function signed(number, by) {
  const places = Math.max(0, -Math.floor(Math.log10(by) + 1e-9));
  const value = Math.round(number / by) * by;
  const digits = new Intl.NumberFormat("en", { minimumFractionDigits: places, maximumFractionDigits: places });
  if (value === 0) return "0";
  return (value < 0 ? MINUS : "+") + digits.format(Math.abs(value));
}
