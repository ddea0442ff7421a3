/*
 * What the script says: sentences that the server translated, as data attributes of #words and, where several pages say
 * the same, #desk-words. Braces are filled in here.
 */

const words = Object.assign({}, ...Array.from(document.querySelectorAll("#words, #desk-words"), ({ dataset }) => dataset));
const rules = new Intl.PluralRules(document.documentElement.lang || "en");

export function say(word, values = {}) {
  return (words[word] ?? "").replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/* The form of a sentence that fits a number: data-waiting-one, data-waiting-other. */
export function sayCount(word, count, values = {}) {
  const form = rules.select(count);
  const name = word + form[0].toUpperCase() + form.slice(1);
  return say(name in words ? name : `${word}Other`, { ...values, count: inLocale(count) });
}

export function inLocale(number) {
  return number.toLocaleString(rules.resolvedOptions().locale);
}
