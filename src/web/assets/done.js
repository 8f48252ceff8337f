// Shows what became of a form.

// The confirmation of a form stands where the form was pressed, is focused, so that screen readers read it out, and is
// removed from the address.
export function confirm(done) {
  const place = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (place && place.matches(".card, .day")) {
    const form = done.nextElementSibling;
    const head = place.querySelector(":scope > .day-head");
    if (head) head.after(done); else place.prepend(done);
    if (form?.matches("form")) done.after(form);
  }
  const address = new URL(location.href);
  for (const name of ["done", "undo", "times", "skipped"]) address.searchParams.delete(name);
  history.replaceState(history.state, "", address);
  show(done);
}

function show(element) {
  const focus = () => {
    element.focus({ preventScroll: true });
    element.scrollIntoView({ block: "center", behavior: "instant" });
  };
  focus();
  // The browser's move to the fragment takes the focus away.
  const again = () => { if (document.activeElement === document.body) focus(); };
  const later = () => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(again)));
  if (document.readyState === "complete") later();
  else addEventListener("load", later);
}

export function showFault(fault) {
  // The first field with an error, or else the error.
  const field = document.querySelector("main [aria-invalid=true]");
  if (!field) fault.tabIndex = -1;
  show(field ?? fault);
}
