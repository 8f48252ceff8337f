// The texts of the interface, which the page contains. A text with plural forms has one for each category of `n`.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");
// The language of the texts. The page's own language may be another dialect.
export const locale = document.documentElement.dataset.locale;
const numbers = new Intl.NumberFormat(locale);
const plurals = new Intl.PluralRules(locale);

export function say(name, values = {}) {
  const known = words[name] ?? "";
  const text = typeof known === "string" ? known : known[values.n] ?? known[plurals.select(values.n)] ?? known.other;
  const printed = (value) => (typeof value === "number" ? numbers.format(value) : value ?? "");
  return text.replace(/\{(\w+)\}/g, (_, key) => printed(values[key]));
}

export const box = document.getElementById("notice");

// Shows one message at the foot of the page. Actions are links ({ href, label }) or buttons ({ run, label }). A message
// with actions stays until an action is chosen.
export function notify(text, ...actions) {
  if (!box || !text) return;
  if (box.contains(document.activeElement)) notify.back?.focus({ preventScroll: true });
  box.replaceChildren(document.createTextNode(text));
  for (const { label, href, run } of actions) {
    const action = document.createElement(href ? "a" : "button");
    if (href) action.href = href;
    action.textContent = label;
    action.addEventListener("click", () => {
      if (!href) box.hidden = true;
      run?.();
    });
    box.append(" ", action);
  }
  box.hidden = false;
  clearTimeout(notify.timer);
  if (!actions.length) notify.timer = setTimeout(() => { box.hidden = true; }, 8000);
}

// Prints a length of time in its largest whole unit.
export function ago(milliseconds) {
  const minutes = Math.max(1, Math.round(milliseconds / 60000));
  const [count, unit] = minutes < 120 ? [minutes, "minute"]
    : minutes < 2880 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
  return new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "long" })
    .format(count);
}
