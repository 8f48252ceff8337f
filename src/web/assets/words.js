// The texts of the interface, which the page contains.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

export const say = (name, values = {}) =>
  (words[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

const box = document.getElementById("notice");

// Shows one message at the foot of the page. Actions are links ({ href, label }) or buttons ({ run, label }). A message
// with actions stays until an action is chosen.
export function notify(text, ...actions) {
  if (!box || !text) return;
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
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" })
    .format(count);
}
