// During the conference the page shows the sessions that are on now and next. Afterwards it says that the conference is over.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { DESK, PHONE, launch, pick, shoot, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The middle of the third of four days, at the venue.
const DAY_3 = new Date("2025-03-26T18:10:00Z");

async function during(t, viewport, at = DAY_3, options = {}) {
  const it = await visitor(t, browser, server, { viewport, ...options });
  await it.page.clock.setFixedTime(at);
  return it;
}

const isInView = (locator) => locator.evaluate((it) => {
  const { top, bottom } = it.getBoundingClientRect();
  return top >= 0 && bottom <= innerHeight;
});

for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
  test(`the program opens at what is on now (${name})`, async (t) => {
    const { page } = await during(t, viewport);
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    const running = await page.locator(".card.now").evaluateAll((cards) =>
      cards.map((card) => [card.dataset.start, card.dataset.end]));
    assert.ok(running.length > 0);
    for (const [start, end] of running) assert.ok(new Date(start) <= DAY_3 && DAY_3 < new Date(end));
    const label = page.locator(".tag.now").last();
    assert.equal(await label.textContent(), "Now");
    assert.ok(await isInView(label), "the label is in view");
    assert.ok(await isInView(page.locator(".card.now h4").last()));
    assert.equal(await page.locator(".tag.next").count(), 1);
    await shoot(page, `now-${name}`, { whole: false });

    // Past days are folded, and unfold.
    const monday = page.getByRole("region", { name: "Monday, March 24" });
    const tuesday = page.getByRole("region", { name: "Tuesday, March 25" });
    for (const day of [monday, tuesday]) await day.locator(".moments").waitFor({ state: "hidden" });
    assert.equal(await page.getByRole("region", { name: "Wednesday, March 26" }).locator(".moments").isVisible(), true);
    assert.ok((await page.locator(".card.past").count()) > 20);
    const toggle = tuesday.getByRole("button", { name: "Show" });
    await toggle.click();
    assert.equal(await tuesday.locator(".moments").isVisible(), true);
    assert.equal(await tuesday.getByRole("button", { name: "Hide" }).getAttribute("aria-expanded"), "true");

    // The button "Now" is always visible.
    for (const target of ["top", "bottom"]) {
      await page.evaluate((it) => scrollTo({ top: it === "top" ? 0 : document.body.scrollHeight, behavior: "instant" }), target);
      if (target === "top") await page.locator(".bar").scrollIntoViewIfNeeded();
      const now = page.getByRole("button", { name: "Now", exact: true });
      assert.ok(await isInView(now), `${target}: the control is in view`);
      await now.click();
      await page.waitForFunction(() => {
        const { top, bottom } = [...document.querySelectorAll(".tag.now")].at(-1).getBoundingClientRect();
        return top >= 0 && bottom <= innerHeight;
      });
    }
    const today = page.locator(".tabs [aria-current=date]");
    assert.equal(await today.textContent(), "Wed 26");
    assert.ok(await isInView(page.locator(".tabs")), "the days stay in view");
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  });

  test(`the agenda opens at what is on now, too (${name})`, async (t) => {
    const { page } = await during(t, viewport);
    await page.goto("/");
    const ids = await page.locator(".card.now:not(.pause)").evaluateAll((cards) => cards.map((card) => card.id));
    await page.getByRole("region", { name: "Tuesday, March 25" }).getByRole("button", { name: "Show" }).click();
    for (const id of ["slow-queries", "ml-monitoring", ids[0]]) await pick(page, id);
    await page.goto("/agenda");
    await page.locator("html.scripted").waitFor();
    assert.ok(await isInView(page.locator(".tag.now")));
    // A wide window shows the whole agenda, and what is in view is not folded.
    const tuesday = page.getByRole("region", { name: "Tuesday, March 25" });
    if (viewport === PHONE) await tuesday.locator(".moments").waitFor({ state: "hidden" });
    else assert.ok(await tuesday.locator(".moments").isVisible());
    assert.ok(await isInView(page.getByRole("button", { name: "Now", exact: true })));
    await shoot(page, `now-agenda-${name}`, { whole: false });
  });
}

test("all running sessions of an agenda are in view, as far as they fit", async (t) => {
  const { page } = await during(t, PHONE);
  await page.goto("/");
  const ids = await page.locator(".card.now:not(.pause)").evaluateAll((cards) => cards.map((card) => card.id));
  assert.ok(ids.length > 1);
  for (const id of ids.slice(0, 2)) await pick(page, id);
  await page.goto("/agenda");
  await page.locator("html.scripted").waitFor();
  await page.evaluate(() => scrollTo({ top: 0, behavior: "instant" }));
  await page.getByRole("button", { name: "Now", exact: true }).click();
  for (const id of ids.slice(0, 2)) {
    await page.waitForFunction((id) => {
      const { top, bottom } = document.querySelector(`[id="${id}"] h4`).getBoundingClientRect();
      return top >= document.querySelector(".bar").getBoundingClientRect().bottom && bottom <= innerHeight;
    }, id);
  }
  await shoot(page, "now-agenda-two", { whole: false });
});

test("between two days the control leads to what is next", async (t) => {
  const { page } = await during(t, PHONE, new Date("2025-03-26T08:00:00Z"));
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  assert.equal(await page.locator(".tag.now").count(), 0);
  await page.getByRole("button", { name: "Next", exact: true }).waitFor();
  assert.ok(await isInView(page.locator(".tag.next")));
});

test("before and after the conference nothing is folded, and afterwards it says that it is over", async (t) => {
  for (const [at, isOver] of [["2025-01-10T12:00:00Z", false], ["2025-03-29T12:00:00Z", true]]) {
    const { page } = await during(t, PHONE, new Date(at));
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    assert.equal(await page.evaluate(() => scrollY), 0);
    assert.equal(await page.locator("#now").isVisible(), false);
    assert.equal(await page.locator(".day.folded, .card.past, .tag").count(), 0);
    assert.equal(await page.getByText("This conference is over").isVisible(), isOver);
    assert.match(await page.locator(".dates").textContent(), /March 24–27, 2025/, "the dates are there without a script");
  }
});

test("a link into a folded day unfolds it, and a reload stays where it was", async (t) => {
  const { page } = await during(t, PHONE);
  await page.goto("/#slow-queries");
  await page.locator("#slow-queries").waitFor({ state: "visible" });
  assert.ok(await isInView(page.locator("#slow-queries h4")));
  await page.goto("/");
  await page.locator(".tabs a").filter({ hasText: "Tue 25" }).click();
  await page.locator("#slow-queries").waitFor({ state: "visible" });
});

test("nothing in view moves after the page opened in the middle of the conference", async (t) => {
  const { page } = await during(t, PHONE);
  // Not by the browser's own measure of layout shifts: it counts a folded day above the visible part as a shift of the
  // whole window.
  await page.addInitScript(() => {
    globalThis.places = new Set();
    const look = () => {
      const title = scrollY > 0 && document.querySelector(".card.now h4");
      if (title) globalThis.places.add(Math.round(title.getBoundingClientRect().top));
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await page.goto("/");
  await page.locator(".day.folded").first().waitFor();
  await page.waitForTimeout(1000);
  const places = await page.evaluate(() => [...globalThis.places]);
  assert.ok(places.length > 0 && Math.max(...places) - Math.min(...places) <= 1, `${places}`);
});

test("after the conference every page says that it is over, the agenda without scripts too, and nothing moves for it", async (t) => {
  const { page } = await during(t, PHONE, new Date("2025-04-01T12:00:00Z"));
  await page.goto("/");
  await pick(page, "slow-queries");
  for (const path of ["/", "/sessions/slow-queries", "/tracks/track-1", "/agenda", "/subscribe/program"]) {
    await page.goto(path);
    await page.locator("html.ended").waitFor();
    const said = page.getByText("This conference is over.").filter({ visible: true });
    assert.equal(await said.count(), 1, path);
    const moved = await page.evaluate(() => {
      const top = () => document.querySelector("h1:not(.vh), .seek").getBoundingClientRect().top;
      const after = top();
      document.documentElement.classList.remove("ended");
      return after - top();
    });
    assert.equal(moved, 0, path);
  }
  // The real clock of the server is long after the conference.
  const plain = (await visitor(t, browser, server, { javaScriptEnabled: false })).page;
  await plain.goto("/sessions/slow-queries");
  await pick(plain, "slow-queries", { scripted: false });
  await plain.goto("/agenda");
  await plain.getByText("This conference is over.").waitFor({ state: "visible" });
});
