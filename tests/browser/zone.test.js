// "Show in my time zone" changes only times, on every page, and can be undone.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, shipped } from "./server.js";
import { PHONE, launch, pick, shoot, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
  server.save((csv) => csv.replace(/^slow-queries,2025-03-25,11:00,11:45/m, "slow-queries,2025-03-25,11:05,11:50"));
  while (!(await (await fetch(`${server.origin}/changes`)).text()).includes("→")) await sleep(100);
});
after(async () => { await browser?.close(); await server?.stop(); });

// All texts of the page except times, zones and the line about the zone.
const rest = (page) => page.evaluate(() => {
  const copy = document.querySelector("main").cloneNode(true);
  copy.querySelectorAll("time[data-as], [data-zone-name], .zone-line").forEach((it) => it.remove());
  return copy.textContent.replace(/\s+/g, " ");
});
const all = (page) => page.evaluate(() => document.querySelector("main").innerText);

test("only times change, and they change back", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE, timezoneId: "Europe/Berlin" });
  await page.goto("/");
  for (const session of ["slow-queries", "ml-monitoring", "live-laugh-log"]) await pick(page, session);
  await page.goto("/agenda");
  const shared = await page.locator(".link a[href^='/agendas/']").first().getAttribute("href");
  for (const path of ["/", "/sessions/slow-queries", "/tracks/track-1", "/days/2025-03-25", "/speakers/scott-laird", "/changes", "/agenda", shared]) {
    await page.evaluate(() => localStorage.setItem("zone", "venue"));
    await page.goto(path);
    await page.locator("html.scripted").waitFor();
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
    const [before, text] = [await all(page), await rest(page)];
    await page.getByRole("button", { name: "Show in my time zone" }).click();
    assert.equal(await rest(page), text, `${path}: a text that is no time changed`);
    const own = await all(page);
    assert.notEqual(own, before, path);
    assert.doesNotMatch(own, /\bP[DS]T\b/, `${path}: a time is left in the venue's zone`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, path);
    await page.reload();
    await page.getByRole("button", { name: "Show venue time" }).click();
    await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
    assert.equal(await all(page), before, `${path}: not as it was before`);
  }
});

test("results of a search follow the switch", async (t) => {
  const { page } = await visitor(t, browser, server, { timezoneId: "Europe/Berlin" });
  await page.goto("/");
  await page.getByRole("searchbox").fill("slow queries");
  const time = page.locator("#results .card time").first();
  await time.waitFor();
  const atVenue = await time.textContent();
  assert.match(atVenue, /P[DS]T/);
  await page.getByRole("button", { name: "Show in my time zone" }).click();
  assert.doesNotMatch(await time.textContent(), /P[DS]T/);
  await page.getByRole("searchbox").fill("slow");
  assert.doesNotMatch(await page.locator("#results").innerText(), /P[DS]T/);
  await page.getByRole("button", { name: "Show venue time" }).click();
  assert.equal(await time.textContent(), atVenue);
});

test("a date that differs is named, and rows stay aligned", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE, timezoneId: "Asia/Tokyo" });
  await page.goto("/");
  const edges = () => page.locator(".day .card").evaluateAll((cards) => [...new Set(cards.map((card) => Math.round(card.getBoundingClientRect().left)))].sort());
  const before = await edges();
  await page.getByRole("button", { name: "Show in my time zone" }).click();
  // A pixel is rounding.
  const after = await edges();
  assert.ok(after.every((edge) => before.some((it) => Math.abs(edge - it) <= 1)), `the times push nothing aside: ${before} became ${after}`);
  assert.ok((await page.locator(".time .shift").count()) > 10);
  await shoot(page, "zone-tokyo", { whole: false });
  await page.goto("/sessions/slow-queries");
  const when = await page.locator(".when").innerText();
  assert.match(when, /^Wednesday, March 26, 3:05–3:50 am/);
  assert.match(await page.locator(".zone-line").innerText(), /Times are in your time zone \(Tokyo\)\./);
});

test("the zone has one name, the weekday is said once, and equal zones offer no choice", async (t) => {
  const config = shipped.config.replace(/^zone = .*/m, 'zone = "Europe/Athens"');
  const athens = await Server.start({ config });
  t.after(() => athens.stop());
  const { page } = await visitor(t, browser, athens, { viewport: PHONE, timezoneId: "Asia/Tokyo" });
  await page.goto("/");
  await page.locator("#search").fill("observability");
  await page.locator("#results").getByText(/ am EET$/).first().waitFor();
  assert.doesNotMatch(await page.locator("#results").innerText(), /GMT/);
  await page.locator("#search").fill("zzzzqq");
  await page.getByText("No sessions match").waitFor();
  assert.equal(await page.getByText("subscribe to a search").filter({ visible: true }).count(), 0);
  // At 6 pm in Athens it is the next day in Tokyo.
  await page.goto("/sessions/welcome");
  await page.getByRole("button", { name: "Show in my time zone" }).click();
  assert.equal(await page.locator(".when").innerText(), "Tuesday, March 25, 1:00–2:00 am GMT+9");
  const near = (await visitor(t, browser, athens, { timezoneId: "Europe/Bucharest" })).page;
  for (const path of ["/", "/sessions/slow-queries"]) {
    await near.goto(path);
    await near.locator("html.scripted").waitFor();
    assert.equal(await near.getByRole("button", { name: "Show in my time zone" }).count(), 0, path);
  }
});
