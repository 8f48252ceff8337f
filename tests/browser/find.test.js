// The search finds sessions while the visitor types, a pick reports overlaps, and a filter shows only picked sessions.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { DESK, PHONE, held, launch, pick, shoot, until, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const titles = (page) => page.locator("#results li .title").allTextContents();

for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
  test(`half a name is enough (${name})`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    const box = page.getByRole("searchbox", { name: "Search" });
    assert.equal(await page.getByRole("searchbox").count(), 1);
    assert.ok(await box.evaluate((it) => it.getBoundingClientRect().bottom <= innerHeight), "in sight without scrolling");
    assert.ok(await page.locator(".day .card h4").first().evaluate((it) => it.getBoundingClientRect().bottom <= innerHeight),
      "and so is the first session");
    const requests = [];
    page.on("request", (request) => {
      if (request.resourceType() === "script") requests.push("script");
      else if (request.resourceType() === "fetch") requests.push(new URL(request.url()).pathname);
    });
    await box.pressSequentially("antonio");
    await page.getByRole("heading", { name: /results? for “antonio”/ }).waitFor();
    assert.ok((await page.locator("#results mark").allTextContents()).includes("Antônio"));
    assert.ok(await page.locator("#results li").first().evaluate((it) => it.getBoundingClientRect().top < innerHeight));
    assert.equal(await page.locator(".day").first().isVisible(), false);
    const once = ["script", "/search.json"];
    assert.deepEqual(requests, once, "one request for script and index each, none per key");
    await shoot(page, `find-${name}`, { whole: false });

    await box.fill("let's encrypt");
    await page.getByRole("heading", { name: /results? for/ }).waitFor();
    assert.match(await page.locator("#results li").first().textContent(), /Let’s Encrypt|Let's Encrypt/);
    await box.fill("slow queries");
    await page.locator("#results li").first().waitFor();
    assert.match((await titles(page))[0], /Slow Queries/);
    await box.fill("track 1");
    await page.getByRole("heading", { name: /\d+ results for “track 1”/ }).waitFor();
    await box.fill("zzzz");
    await page.getByRole("heading", { name: "No sessions match “zzzz”." }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator(".day .card").first().waitFor({ state: "visible" });
    assert.equal(new URL(page.url()).search, "");
    assert.deepEqual(requests, once);

    await page.evaluate(() => { document.activeElement.blur(); scrollTo(0, 3000); });
    await page.keyboard.press("/");
    assert.equal(await page.evaluate(() => document.activeElement.id), "search");
    assert.equal(await box.inputValue(), "");
  });
}

test("with scripts and without, a search finds the same sessions in the same order", async (t) => {
  const { page } = await visitor(t, browser, server);
  const { page: plain } = await visitor(t, browser, server, { javaScriptEnabled: false });
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  for (const query of ["antonio", "observability", "sre track 2", "let's", "incident response", "break", "observabilty", "slow qeuries", "antonoi", "monitring"]) {
    await page.getByRole("searchbox").fill(query);
    await page.getByRole("heading", { name: `for “${query}”` }).waitFor();
    await plain.goto("/");
    await plain.getByRole("searchbox").fill(query);
    await plain.getByRole("button", { name: "Search", exact: true }).click();
    await plain.waitForURL(/[?&]q=/);
    const [scripted, served] = [await titles(page), await titles(plain)];
    assert.deepEqual(served.slice(0, 50), scripted, query);
    assert.ok((await plain.locator("mark").count()) > 0, query);
  }
});

test("a typing error is forgiven, as you type and without scripts", async (t) => {
  for (const javaScriptEnabled of [true, false]) {
    const { page } = await visitor(t, browser, server, { viewport: PHONE, javaScriptEnabled });
    await page.goto("/");
    if (javaScriptEnabled) await page.locator("html.scripted").waitFor();
    await page.getByRole("searchbox").fill("observabilty");
    if (!javaScriptEnabled) await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("heading", { name: /No exact match for “observabilty”\. \d+ similar results:/ }).waitFor();
    const marks = (await page.locator("#results mark").allTextContents()).map((it) => it.toLowerCase());
    assert.ok(marks.length > 0 && marks.every((it) => it === "observability"), `${marks}`);
    await page.getByRole("searchbox").fill("xyzzyplugh");
    if (!javaScriptEnabled) await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("heading", { name: "No sessions match “xyzzyplugh”." }).waitFor();
  }
});

test("a search result is picked in place", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  await page.getByRole("searchbox").fill("slow queries");
  const button = page.locator("#results").getByRole("button", { name: /Slow Queries/ });
  await button.click();
  await page.locator('#results button.pick[aria-pressed="true"]').waitFor();
  await until(page, async () => (await (await fetch("/agenda/state")).json()).picks.length === 1);
  assert.deepEqual(await held(page), ["slow-queries"]);
});

for (const [name, viewport] of [["phone", PHONE], ["desk", DESK]]) {
  test(`an overlap is said at once, with the choice (${name})`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.goto("/");
    await pick(page, "slow-queries");
    assert.equal(await page.locator("#notice").isVisible(), false);
    await pick(page, "ml-monitoring");
    const notice = page.getByRole("status").filter({ hasText: "overlaps with" });
    await notice.waitFor();
    assert.match(await notice.textContent(), /An SRE Approach to Monitoring ML in Production.* overlaps with .*Slow Queries/);
    await shoot(page, `overlap-${name}`, { whole: false });
    await notice.getByRole("button", { name: "Keep both" }).click();
    assert.deepEqual((await held(page)).sort(), ["ml-monitoring", "slow-queries"]);

    await page.locator("button.pick[value=ml-monitoring]").click();
    await page.locator('button.pick[value=ml-monitoring][aria-pressed="false"]').waitFor();
    await pick(page, "ml-monitoring");
    await notice.getByRole("button", { name: "Replace" }).click();
    await page.getByRole("status").filter({ hasText: "Replaced." }).waitFor();
    assert.deepEqual(await held(page), ["ml-monitoring"]);

    // The session page marks the picked ones among the parallel sessions.
    await page.goto("/sessions/slow-queries");
    await page.locator("[data-session=ml-monitoring].chosen").waitFor();
    assert.ok(await page.locator("[data-session=ml-monitoring] .is-picked").isVisible());
  });

  test(`my sessions are a filter with their count (${name})`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport });
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    const filter = page.getByRole("button", { name: /My sessions/ });
    await filter.click();
    await page.getByText("You haven’t picked any sessions yet.").waitFor();
    await filter.click();
    for (const session of ["slow-queries", "live-laugh-log"]) await pick(page, session);
    assert.match(await filter.textContent(), /My sessions\s*2/);
    await filter.click();
    assert.equal(await filter.getAttribute("aria-pressed"), "true");
    assert.equal(await page.locator(".day .card").filter({ visible: true }).count(), 2);
    await shoot(page, `mine-${name}`, { whole: false });
    const name_ = await page.locator("button.pick[value=slow-queries]").evaluate((it) => it.getAttribute("aria-labelledby"));
    assert.ok(name_.includes("t-slow-queries"));
    await page.getByRole("button", { name: /Picked .*Slow Queries/, pressed: true }).waitFor();
    await filter.click();
    assert.ok((await page.locator(".day .card").filter({ visible: true }).count()) > 40);
    const yellow = await page.locator(".pick[aria-pressed=false]").first().evaluate((it) => getComputedStyle(it).backgroundColor);
    assert.notEqual(yellow, "rgb(255, 212, 0)", "yellow is for what is picked");
  });
}

test("the filter of my sessions survives a reload and the way back, and stays near now", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
  await page.clock.setFixedTime(new Date("2025-03-26T18:10:00Z"));
  await page.goto("/");
  await page.locator("html.scripted").waitFor();
  const running = await page.locator(".card.now:not(.pause)").first().getAttribute("id");
  await pick(page, running);
  const later = page.locator(".day").last().locator("button.pick");
  for (const id of await later.evaluateAll((all) => all.slice(0, 3).map((it) => it.value))) {
    await pick(page, id);
    const keep = page.getByRole("button", { name: "Keep both" });
    if (await keep.isVisible()) await keep.click();
  }
  const filter = page.locator("#mine-switch");
  assert.match(await filter.innerText(), /My sessions\s*4/);
  await page.evaluate(() => scrollTo({ top: document.body.scrollHeight, behavior: "instant" }));
  await filter.click();
  const isInView = (locator) => locator.evaluate((it) => {
    const { top, bottom } = it.getBoundingClientRect();
    return top >= document.querySelector(".bar").getBoundingClientRect().bottom - 1 && bottom <= innerHeight;
  });
  const title = page.locator(`[id="${running}"] h4`);
  assert.ok(await isInView(title), "the running session is in view");
  const isOn = () => page.locator("html.mine-only").waitFor();
  await page.reload();
  await isOn();
  await title.locator("a").click();
  await page.waitForURL("**/sessions/**");
  await page.goBack();
  await isOn();
  assert.equal(await filter.getAttribute("aria-pressed"), "true");
  await page.waitForFunction((id) => {
    const { top, bottom } = document.querySelector(`[id="${id}"] h4`).getBoundingClientRect();
    return top >= 0 && bottom <= innerHeight;
  }, running);
  await shoot(page, "mine-back", { whole: false });
  await filter.click();
  assert.ok(await isInView(title), "the place stays when all sessions are shown again");
  await page.reload();
  await page.locator("html.scripted:not(.mine-only)").waitFor();
});

test("without scripts a pick keeps its place and is shown as picked", async (t) => {
  const { page } = await visitor(t, browser, server, { javaScriptEnabled: false, viewport: PHONE });
  await page.goto("/");
  await page.getByRole("button", { name: /Slow Queries/ }).click();
  await page.waitForURL(/\/mine#slow-queries$/);
  const button = page.getByRole("button", { name: /Slow Queries/, pressed: true });
  assert.ok(await button.evaluate((it) => it.getBoundingClientRect().top < innerHeight && it.getBoundingClientRect().top >= 0));
  await shoot(page, "plain-picked", { whole: false });
  await page.goto("/");
  await page.getByRole("link", { name: "Show which sessions I picked" }).click();
  await button.waitFor();
  await page.goto("/sessions/slow-queries");
  await page.getByRole("link", { name: "Show which sessions I picked" }).click();
  await page.waitForURL(/\/mine\/sessions\/slow-queries$/);
  await button.click();
  await page.waitForURL(/\/mine\/sessions\/slow-queries$/);
  assert.equal(await page.locator('[aria-pressed="true"]').count(), 0);
  // The results of a search stay, too.
  await page.goto("/?q=observability");
  const [first] = await page.locator(".results button.pick").all();
  await first.click();
  await page.waitForURL(/\/mine\?q=observability#/);
  assert.equal(await page.locator('.results [aria-pressed="true"]').count(), 1);
});

test("the device's share sheet gets the session, and its absence the clipboard", async (t) => {
  const { page, context } = await visitor(t, browser, server, { viewport: PHONE });
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.addInitScript(() => {
    navigator.share = async (what) => { globalThis.shared = what; };
  });
  await page.goto("/sessions/slow-queries");
  await page.getByRole("button", { name: "Share" }).click();
  const { url, title } = await page.evaluate(() => globalThis.shared);
  assert.match(url, /\/sessions\/slow-queries$/);
  assert.match(title, /Slow Queries/);
});

test("rooms, days, speakers and tracks have pages, and sessions lead to their neighbours", async (t) => {
  const { page } = await visitor(t, browser, server, { viewport: PHONE });
  await page.goto("/sessions/search-for-speed");
  const neighbours = page.locator(".neighbours a");
  assert.equal(await neighbours.count(), 2);
  const [previous, next] = await neighbours.evaluateAll((links) => links.map((it) => it.getAttribute("rel")));
  assert.deepEqual([previous, next], ["prev", "next"]);
  await neighbours.last().click();
  assert.equal(await page.locator(".neighbours a[rel=prev]").getAttribute("href"), "/sessions/search-for-speed");
  await page.goto("/sessions/slow-queries");
  assert.ok((await page.locator("#beside + ul .people").first().textContent()).length > 20, "a parallel session's first sentence");
  await page.locator(".when a").first().click();
  await page.getByRole("heading", { level: 1, name: "Tuesday, March 25" }).waitFor();
  await page.getByRole("link", { name: "Wednesday, March 26" }).last().click();
  await page.getByRole("heading", { level: 1, name: "Wednesday, March 26" }).waitFor();
  for (const list of ["Speakers", "Tracks", "Rooms"]) {
    await page.getByRole("contentinfo").getByRole("link", { name: list }).click();
    await page.getByRole("heading", { level: 1, name: list }).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
  }
  await page.goto("/speakers");
  await page.getByRole("link", { name: /Scott Laird/ }).click();
  await page.getByRole("heading", { level: 1, name: "Scott Laird" }).waitFor();
});
