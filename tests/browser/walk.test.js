// From the link to a shared agenda and back, by a visitor with scripts and by one without.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server } from "./server.js";
import { PHONE, launch, pick, shoot, unfold, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

const titles = (page) => page.locator("main .plan h4").allTextContents();

for (const scripted of [true, false]) {
  const name = scripted ? "scripted" : "plain";

  test(`a talk is found, picked, cleared of an overlap, shared and taken back (${name})`, async (t) => {
    const { context, page } = await visitor(t, browser, server, { worker: true, javaScriptEnabled: scripted, viewport: PHONE });
    if (scripted) await context.grantPermissions(["clipboard-read", "clipboard-write"]);

    await page.goto("/");
    await page.locator(".filter summary").click();
    await page.locator("#filter select[name=track]").selectOption("track-2");
    await page.locator(".filter").getByRole("button", { name: "Apply" }).click();
    await page.waitForURL(/track=track-2/);
    await page.getByRole("searchbox").fill("slow queries");
    await shoot(page, `walk-${name}-1-search`);
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.waitForURL(/[?&]q=slow/);
    assert.match(page.url(), /track=track-2/);
    assert.equal(await page.locator("#results li").count(), 1);
    await pick(page, "slow-queries", { scripted });
    await shoot(page, `walk-${name}-2-found`);

    for (const session of ["ml-monitoring", "thundering-herd"]) {
      await page.goto("/");
      await pick(page, session, { scripted });
    }
    await page.goto("/agenda");
    assert.equal((await titles(page)).length, 3);
    const overlapping = page.locator("main .plan .card").filter({ hasText: "Overlaps with" });
    assert.equal(await overlapping.count(), 2, "both cards name the overlap");
    await shoot(page, `walk-${name}-3-overlap`);

    await page.locator("#slow-queries form button").click();
    await page.locator("#ml-monitoring").waitFor({ state: "detached" });
    assert.equal((await titles(page)).length, 2);
    assert.equal(await overlapping.count(), 0);
    assert.equal(new URL(page.url()).hash, "#slow-queries", "back where it was pressed");
    await page.getByRole("status").filter({ hasText: "Overlap resolved." }).waitFor();
    await shoot(page, `walk-${name}-4-resolved`);

    const field = page.locator(".link .copying input").first();
    const link = await field.inputValue();
    if (scripted) {
      await unfold(page, "links");
      await page.locator(".link .copying button").first().click();
      await page.locator("#notice").filter({ hasText: "Copied." }).waitFor();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), link);
    }

    const guest = (await visitor(t, browser, server, { worker: true, javaScriptEnabled: scripted, viewport: PHONE })).page;
    assert.equal((await guest.goto(link)).status(), 200);
    assert.deepEqual(await titles(guest), await titles(page));
    assert.equal(await guest.locator("#unpick, .unpick, form[action^='/agenda/links']").count(), 0, "read-only");
    assert.equal(await guest.locator("meta[name=robots][content*=noindex]").count(), 1);
    await shoot(guest, `walk-${name}-5-shared`);
    const shared = guest.url();
    await guest.locator("main a[href^='/subscribe/agendas/']").first().click();
    await guest.waitForURL("**/subscribe/agendas/**");
    assert.ok((await guest.locator(".way").count()) >= 7);
    assert.ok((await guest.locator("a[href^='webcal:']").count()) >= 1);
    await shoot(guest, `walk-${name}-6-subscribe`);

    await unfold(page, "links");
    const revoke = page.locator(".link details").filter({ has: page.locator("form[action$='/revoke']") }).first();
    await revoke.locator("summary").click();
    await revoke.locator("form button").click();
    await page.locator(".link").first().waitFor({ state: "detached" });
    await page.locator("section", { has: page.locator("#links") }).getByRole("status").filter({ hasText: "The link is turned off." }).waitFor();
    await shoot(page, `walk-${name}-7-revoked`);
    for (const url of [shared, shared.replace("/agendas/", "/subscribe/agendas/")]) {
      assert.equal((await guest.goto(url)).status(), 410, url);
    }
    await shoot(guest, `walk-${name}-8-gone`);
    assert.equal((await titles(page)).length, 2, "no pick went with the link");
  });
}

for (const [device, userAgent, button] of [
  ["iPhone", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "Open in Apple Calendar"],
  ["Android", "Mozilla/5.0 (Linux; Android 15; Pixel 9)", "Open in ICSx⁵"],
]) {
  test(`an agenda is in the calendar after two taps (${device})`, async (t) => {
    const { page } = await visitor(t, browser, server, { worker: true, viewport: PHONE, userAgent });
    await page.goto("/sessions/search-for-speed");
    await pick(page, "search-for-speed");
    await page.goto("/agenda");
    const add = page.getByRole("link", { name: "Add to calendar" });
    assert.ok(await add.evaluate((it) => it.getBoundingClientRect().bottom <= innerHeight), "the first tap is in view");
    assert.ok((await page.locator("#settings details[open]").count()) === 0, "settings are folded");
    await add.click();
    const open = page.getByRole("link", { name: button });
    const { bottom, height } = await open.evaluate((it) => it.getBoundingClientRect().toJSON());
    assert.ok(bottom <= PHONE.height && height >= 44, "the second tap is in view and large");
    assert.match(await open.getAttribute("href"), /^webcal:/);
    await shoot(page, `subscribe-${device}`);
    for (const app of ["Google Calendar", "vdirsyncer and khal", "Calendar account (CalDAV)"]) {
      await page.locator("summary").filter({ hasText: app }).click();
    }
    const google = await page.getByRole("link", { name: "Open in Google Calendar" }).getAttribute("href");
    assert.match(google, /calendar\/r\?cid=http%3A/);
    assert.ok((await page.locator("#caldav input").inputValue()).endsWith("/dav/agendas/"));
  });
}

test("an agenda moves to another device, once", async (t) => {
  const { page } = await visitor(t, browser, server, { worker: true });
  await page.goto("/sessions/search-for-speed");
  await pick(page, "search-for-speed");
  await page.goto("/agenda");
  await unfold(page, "other-device");
  await page.locator("form[action='/agenda/handover'] button").click();
  const link = await page.locator("#hand-over").inputValue();
  assert.equal(await page.evaluate(() => document.activeElement.id), "hand-over");
  assert.ok(await page.locator("#hand-over").evaluate((it) => it.getBoundingClientRect().bottom <= innerHeight), "the link is in view");
  await shoot(page, "hand-over-1-link");

  const { page: phone, context } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await phone.goto(link);
  await phone.reload();
  await shoot(phone, "hand-over-2-button");
  await phone.locator("main form button").click();
  await phone.getByRole("status").filter({ hasText: "Your agenda is now in this browser, too." }).waitFor();
  await phone.locator("#search-for-speed").waitFor();
  await shoot(phone, "hand-over-3-arrived");
  const kept = (await context.cookies()).find((cookie) => cookie.name.endsWith("agenda"));
  assert.ok(kept.httpOnly && kept.sameSite === "Lax");
  assert.ok(!(await phone.content()).includes(kept.value), "the edit key is in no page");

  await phone.goto("/");
  await pick(phone, "live-laugh-log");
  await page.goto("/agenda");
  await page.locator("#live-laugh-log").waitFor();

  const late = (await visitor(t, browser, server, { worker: true })).page;
  assert.ok((await late.goto(link)).status() >= 400);
});

test("the embedded program stands alone and opens the whole in its own window", async (t) => {
  const { page } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await page.goto("/?embed");
  assert.equal(await page.locator(".masthead").count(), 0);
  assert.ok((await page.locator("main .day").count()) >= 3);
  assert.equal(await page.locator(".foot a[target=_blank]").getAttribute("href"), `${server.origin}/`);
  await page.locator(".filter summary").click();
  await page.locator("#filter select[name=track]").selectOption("track-1");
  await page.locator(".filter").getByRole("button", { name: "Apply" }).click();
  await page.waitForURL(/track=track-1/);
  assert.equal(await page.locator(".masthead").count(), 0, "a filter stays embedded");
  await shoot(page, "embed");
});
