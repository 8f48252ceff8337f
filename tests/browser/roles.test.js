// Five people do what they came for in the middle of the third day, on a phone and on a desktop. Every tap is counted,
// and a tap on something outside of the window fails the test: nobody has to search for it.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { DESK, PHONE, held, launch, shoot, until, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The middle of the third of four days, at the venue.
const DAY_3 = new Date("2025-03-26T18:10:00Z");

async function person(t, viewport, options = {}) {
  const it = await visitor(t, browser, server, { worker: true, viewport, hasTouch: viewport === PHONE, ...options });
  await it.page.clock.setFixedTime(DAY_3);
  let taps = 0;
  const isInView = (locator) => locator.evaluate((it) => {
    const { top, bottom, width } = it.getBoundingClientRect();
    return width > 0 && top >= 0 && bottom <= innerHeight;
  });
  return {
    ...it,
    isInView,
    tap: async (locator) => {
      assert.ok(await isInView(locator), `${await locator.evaluate((it) => it.outerHTML.slice(0, 80))} is in view`);
      taps += 1;
      await (viewport === PHONE ? locator.tap() : locator.click());
    },
    taps: () => taps,
    open: async (path) => {
      await it.page.goto(path);
      await it.page.locator("html.scripted").waitFor();
      taps = 0;
    },
  };
}

for (const [device, viewport] of [["phone", PHONE], ["desktop", DESK]]) {
  test(`an attendee in a corridor sees what is on now (${device})`, async (t) => {
    const { page, isInView, open, tap, taps } = await person(t, viewport);
    await open("/");
    const running = page.locator(".card.now h4");
    assert.ok(await isInView(running.first()), "without any tap");
    // From anywhere else, it takes one.
    await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
    await page.locator(".bar").scrollIntoViewIfNeeded();
    await tap(page.getByRole("button", { name: "Now", exact: true }));
    await page.waitForFunction(() => [...document.querySelectorAll(".card.now h4")].some((it) => it.getBoundingClientRect().top >= 0 && it.getBoundingClientRect().bottom <= innerHeight));
    assert.equal(taps(), 1);
    await page.waitForTimeout(700);
    await shoot(page, `role-now-${device}`, { whole: false });
    await open("/sessions/slow-queries");
    await tap(page.getByRole("link", { name: "Program", exact: true }));
    await page.locator(".card.now h4").first().waitFor();
    await page.waitForFunction(() => [...document.querySelectorAll(".card.now h4")].some((it) => it.getBoundingClientRect().top >= 0 && it.getBoundingClientRect().bottom <= innerHeight));
    assert.equal(taps(), 1);
  });

  test(`somebody who remembers half a name finds the talk (${device})`, async (t) => {
    const { page, isInView, open, tap, taps } = await person(t, viewport);
    await open("/sessions/slow-queries");
    await open("/");
    // The page opened at the present moment, far below the search box.
    await tap(page.getByRole("link", { name: "Search", exact: true }));
    assert.ok(await page.getByRole("searchbox").evaluate((it) => it === document.activeElement));
    await page.keyboard.type("anton");
    const found = page.locator("#results li").first();
    await found.waitFor();
    assert.ok(await isInView(found.locator(".title")), "the first result is in view while typing");
    assert.equal(taps(), 1);
    await shoot(page, `role-search-${device}`, { whole: false });
  });

  test(`an attendee abroad plans the week: overlap and calendar (${device})`, async (t) => {
    // The subscribe page puts the app of the device first.
    const userAgent = device === "phone" ? "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)" : "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)";
    const { page, open, tap, taps } = await person(t, viewport, { timezoneId: "Asia/Tokyo", userAgent });
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    const ids = await page.evaluate(() => {
      const cards = [...document.querySelectorAll(".card[data-start]:not(.pause):not(.cancelled)")].filter((it) => it.querySelector(".pick"));
      const first = cards.find((it) => new Date(it.dataset.start) > Date.now());
      const other = cards.find((it) => it !== first && it.dataset.start < first.dataset.end && it.dataset.end > first.dataset.start);
      return [first.id, other.id];
    });
    const button = (id) => page.locator(`button.pick[value="${id}"]`).first();
    const show = (id) => button(id).evaluate((it) => it.scrollIntoView({ block: "center", behavior: "instant" }));
    await show(ids[0]);
    await tap(button(ids[0]));
    await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 1);
    // Two taps: the pick that overlaps, and the decision.
    const before = taps();
    await show(ids[1]);
    await tap(button(ids[1]));
    const notice = page.getByRole("status").filter({ hasText: "overlaps with" });
    await notice.waitFor();
    await shoot(page, `role-overlap-${device}`, { whole: false });
    await tap(notice.getByRole("button", { name: "Replace" }));
    await page.getByRole("status").filter({ hasText: "Replaced." }).waitFor();
    assert.equal(taps() - before, 2);
    assert.deepEqual(await held(page), [ids[1]]);
    // Two taps from the agenda to the calendar.
    await open("/agenda");
    await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
    await tap(page.getByRole("link", { name: "Add to calendar" }));
    await page.waitForURL("**/subscribe/agendas/**");
    const main = page.locator("main a[href^='webcal:'], main a[href^='https://calendar.google.com/'], main a[href^='https://outlook']").filter({ visible: true }).first();
    await shoot(page, `role-calendar-${device}`, { whole: false });
    // The second tap leaves the browser, so it is not made.
    assert.ok(await main.evaluate((it) => it.getBoundingClientRect().top >= 0 && it.getBoundingClientRect().bottom <= innerHeight), "the main button is in view");
    assert.equal(taps() + 1, 2);
  });

  test(`a visitor who was never here understands what to do (${device})`, async (t) => {
    const { page, isInView, open, tap, taps } = await person(t, viewport);
    await page.clock.setFixedTime(new Date("2025-03-01T12:00:00Z"));
    await open("/");
    for (const text of ["SREcon25 Americas", "March 24–27, 2025"]) assert.ok(await isInView(page.getByText(text).first()), text);
    assert.ok(await isInView(page.getByText("Pick the sessions you want to see.").first()));
    assert.ok(await isInView(page.locator(".card h4").first()), "and sees the first session");
    const first = page.locator("button.pick").filter({ visible: true }).first();
    await tap(first);
    await page.locator("button.pick[aria-pressed=true]").waitFor();
    await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 1);
    await tap(page.getByRole("link", { name: /^My agenda/ }));
    await page.waitForURL("**/agenda");
    await page.locator("main .plan h4").waitFor();
    assert.equal(taps(), 2, "one tap to pick, one to see the agenda");
    await shoot(page, `role-first-${device}`, { whole: false });
  });

  test(`somebody with a keyboard and a screen reader gets to what is on now (${device})`, async (t) => {
    const { page, open } = await person(t, viewport);
    await open("/");
    // "Now" is a button with a name; pressing it moves the focus along, so that reading continues there.
    const now = page.getByRole("button", { name: "Now", exact: true });
    await now.focus();
    await page.keyboard.press("Enter");
    await page.keyboard.press("Tab");
    const place = await page.evaluate(() => {
      const card = document.activeElement.closest(".card");
      return card && { start: card.dataset.start, end: card.dataset.end };
    });
    assert.ok(place && new Date(place.start) <= DAY_3 && DAY_3 < new Date(place.end), `the next stop is in ${JSON.stringify(place)}`);
    // A pick is announced by its own button: its state changes, its name has the session's title.
    const pick = page.locator(".card.now .pick").first();
    const title = await pick.evaluate((it) => document.getElementById(`t-${it.value}`).textContent);
    await pick.focus();
    await page.keyboard.press("Space");
    await page.getByRole("button", { name: new RegExp(title.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")), pressed: true }).waitFor();
  });
}
