// Needs nodes.js.
/* Numbers as people read them: every figure that a script writes is put into words here. */

const NUMBER_STYLE = "en"; // 1,200
const PERCENT = "\u00a0%"; // no line break parts it from its number

/** 1,200 */
const countWords = (count) => Number(count).toLocaleString(NUMBER_STYLE);

/** "1 picture" or "1,200 pictures" from the sentences for one and for many. */
const amountWords = (count, one, many) => fill(count === 1 ? one : many, { count: countWords(count) });

/** 928, 1.4 K, 17 K, 2.0 M: two digits are enough to compare. */
function shortCount(count) {
  if (count < 1000) return String(count);
  const [size, letter] = count < 999500 ? [1e3, "K"] : count < 999500000 ? [1e6, "M"] : [1e9, "G"];
  const scaled = count / size;
  return (scaled < 9.95 ? scaled.toFixed(1) : Math.round(scaled)) + "\u00a0" + letter;
}

/** "3.1 MB", "0.4 MB", "1.2 GB". */
const sizeWords = (bytes) => (bytes >= 1e9 ? (bytes / 1e9).toFixed(1) + " GB" : (bytes / 1e6).toFixed(1) + " MB");

/** The same without ".0": a round limit is "100 MB". */
const limitWords = (bytes) => sizeWords(bytes).replace(".0 ", " ");

/** As few digits as say it, at most so many: 0.25, 97.5, 100. */
const plain = (number, digits = 3) => String(Number(number.toPrecision(digits)));

/** Always three digits: 0.100, 1.23, 12.3. */
const threeDigits = (number) => number.toPrecision(3);

/** A share of 0 to 1 as a percent with so many decimals: 84 %. */
const percentWords = (share, decimals = 0) => (100 * share).toFixed(decimals) + PERCENT;

/** The same with as few decimals as say it: 97.5 %, 100 %. */
const plainPercent = (share) => plain(100 * share) + PERCENT;

/** 12 s */
const secondsWords = (seconds) => plain(seconds) + "\u00a0s";

/** A probability as a percent: a certain-looking 0.9996 stays below 100, a small chance is not nothing. */
function chanceWords(probability) {
  const percent = 100 * probability;
  if (percent > 0 && percent < 0.5) return "<\u00a01" + PERCENT;
  if (percent >= 99.5 && probability < 1) return ">\u00a099" + PERCENT;
  return (probability < 1 ? Math.min(99, Math.round(percent)) : 100) + PERCENT;
}

/** How far weights have moved: two digits, and "< 0.1 %" for what is hardly anything. */
const movedWords = (share) => (share < 0.001 ? "<\u00a00.1" : (100 * share).toPrecision(2)) + PERCENT;

/** 1e-4, 5e-5, 0.002: as the field writes learning rates; "" when there is none. */
function rateWords(rate) {
  if (!isNumber(rate)) return "";
  return rate >= 0.001 ? plain(rate, 2) : Number(rate.toPrecision(2)).toExponential();
}

/** 0.001, 10⁻⁴: a power of ten under an axis. */
const powerWords = (power) => (power >= -3 ? plain(10 ** power, 1)
  : "10" + String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]));

/** A loss in nats per picture; "" when it was not measured. */
function lossWords(loss) {
  if (!isNumber(loss)) return "";
  if (loss >= 1e4) return loss.toExponential(1);
  return loss.toFixed(loss >= 100 ? 0 : loss < 1 ? 3 : 2);
}

/** How to write the ticks of an axis: each with as many decimals as their step needs. */
function tickWords(ticks) {
  const step = ticks[1] - ticks[0];
  const decimals = [0, 1, 2, 3].find((count) => Math.abs((step * 10 ** count) % 1) <= 1e-6) ?? 4;
  return (tick) => (ticks.at(-1) >= 1e5 ? tick.toExponential(0) : tick.toFixed(decimals));
}
