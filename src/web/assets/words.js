// The interface's words come with the page; scripts hold none.
const words = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

export const say = (name, values = {}) =>
  (words[name] ?? "").replace(/\{(\w+)\}/g, (_, key) => values[key] ?? "");

const box = document.getElementById("notice");

// One line at the foot of the page; it covers nothing for long and moves nothing.
export function notify(text, action) {
  if (!box || !text) return;
  box.replaceChildren(document.createTextNode(text));
  if (action) {
    const link = document.createElement("a");
    link.href = action.href;
    link.textContent = action.label;
    box.append(" ", link);
  }
  box.hidden = false;
  clearTimeout(notify.timer);
  if (!action) notify.timer = setTimeout(() => { box.hidden = true; }, 8000);
}

// A length of time in its largest whole unit.
export function ago(milliseconds) {
  const minutes = Math.max(1, Math.round(milliseconds / 60000));
  const [count, unit] = minutes < 120 ? [minutes, "minute"]
    : minutes < 2880 ? [Math.floor(minutes / 60), "hour"] : [Math.floor(minutes / 1440), "day"];
  return new Intl.NumberFormat(document.documentElement.lang, { style: "unit", unit, unitDisplay: "long" })
    .format(count);
}
