// Needs nodes.js. Reads words.
/* Numbers as people read them: every figure that a script writes is put into words here, in the
   language of the page. */

const LANGUAGES = [document.documentElement.lang || "en", "en"]; // the second where a browser knows no rules of the first
const PLURALS = new Intl.PluralRules(LANGUAGES);
const POINT = new Intl.NumberFormat(LANGUAGES).formatToParts(0.5).find(({ type }) => type === "decimal").value;

/** The digits of JavaScript as the language writes them: 0.25, or 0,25. */
const written = (digits) => digits.replace(".", POINT);

/** A number with its unit; `unit` names a word: "{number} s". */
const withUnit = (unit, digits) => fill(props.words.numbers[unit], { number: written(digits) });

/** 1,200 */
const countWords = (count) => Number(count).toLocaleString(LANGUAGES);

/** "1 picture" or "1,200 pictures" from the sentences by plural category. */
const amountWords = (count, forms) => fill(forms[PLURALS.select(count)] ?? forms.other, { count: countWords(count) });

/** 928, 1.4 K, 17 K, 2.0 M: two digits are enough to compare. */
function shortCount(count) {
  if (count < 1000) return String(count);
  const [size, unit] = count < 999500 ? [1e3, "thousands"] : count < 999500000 ? [1e6, "millions"] : [1e9, "billions"];
  const scaled = count / size;
  return withUnit(unit, scaled.toFixed(scaled < 9.95 ? 1 : 0));
}

/** "3.1 MB", "0.4 MB", "1.2 GB". */
const sizeWords = (bytes, shorten = (digits) => digits) =>
  (bytes >= 1e9 ? withUnit("gigabytes", shorten((bytes / 1e9).toFixed(1))) : withUnit("megabytes", shorten((bytes / 1e6).toFixed(1))));

/** The same without ".0": a round limit is "100 MB". */
const limitWords = (bytes) => sizeWords(bytes, (digits) => digits.replace(".0", ""));

/** As few digits as say it, at most so many: 0.25, 97.5, 100. */
const fewDigits = (number, digits = 3) => String(Number(number.toPrecision(digits)));

/** The same as the language writes it. */
const plain = (number, digits) => written(fewDigits(number, digits));

/** Always three digits: 0.100, 1.23, 12.3. */
const threeDigits = (number) => written(number.toPrecision(3));

/** A share of 0 to 1 as a percent with so many decimals: 84 %. */
const percentWords = (share, decimals = 0) => withUnit("percent", (100 * share).toFixed(decimals));

/** The same with as few decimals as say it: 97.5 %, 100 %. */
const plainPercent = (share) => withUnit("percent", fewDigits(100 * share));

/** 12 s */
const secondsWords = (seconds) => withUnit("seconds", fewDigits(seconds));

/** A probability as a percent: a certain-looking 0.9996 stays below 100, a small chance is not nothing. */
function chanceWords(probability) {
  const percent = 100 * probability;
  if (percent > 0 && percent < 0.5) return withUnit("percent", "<\u00a01");
  if (percent >= 99.5 && probability < 1) return withUnit("percent", ">\u00a099");
  return withUnit("percent", String(probability < 1 ? Math.min(99, Math.round(percent)) : 100));
}

/** How far weights have moved: two digits, and "< 0.1 %" for what is hardly anything. */
const movedWords = (share) => withUnit("percent", share < 0.001 ? "<\u00a00.1" : (100 * share).toPrecision(2));

/** 1e-4, 5e-5, 0.002: as a field holds learning rates; "" when there is none. */
function rateDigits(rate) {
  if (!isNumber(rate)) return "";
  return rate >= 0.001 ? fewDigits(rate, 2) : Number(rate.toPrecision(2)).toExponential();
}

/** The same as the language writes it. */
const rateWords = (rate) => written(rateDigits(rate));

/** 0.001, 10⁻⁴: a power of ten under an axis. */
const powerWords = (power) => (power >= -3 ? plain(10 ** power, 1)
  : "10" + String(power).replace(/./g, (sign) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(sign)]));

/** A loss in nats per picture; "" when it was not measured. */
function lossWords(loss) {
  if (!isNumber(loss)) return "";
  return written(loss >= 1e4 ? loss.toExponential(1) : loss.toFixed(loss >= 100 ? 0 : loss < 1 ? 3 : 2));
}

/** How to write the ticks of an axis: each with as many decimals as their step needs. */
function tickWords(ticks) {
  const step = ticks[1] - ticks[0];
  const decimals = [0, 1, 2, 3].find((count) => Math.abs((step * 10 ** count) % 1) <= 1e-6) ?? 4;
  return (tick) => written(ticks.at(-1) >= 1e5 ? tick.toExponential(0) : tick.toFixed(decimals));
}
