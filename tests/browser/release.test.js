// The network fails and comes back, and the program changes while pages are open.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Server, SECRET, shipped } from "./server.js";
import { PHONE, held, launch, pick, shoot, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

test("picks made offline are kept and settled, none lost", async (t) => {
  const { page } = await visitor(t, browser, server, { worker: true, viewport: PHONE });
  await page.goto("/");
  await page.evaluate(() => navigator.serviceWorker.ready);
  await pick(page, "slow-queries");
  await page.goto("/agenda");
  await page.goto("/");
  await page.waitForFunction(() => navigator.serviceWorker.controller);

  await server.down();
  for (const session of ["search-for-speed", "live-laugh-log"]) {
    await page.locator(`button.pick[value="${session}"]`).click();
    await page.locator(`button.pick[value="${session}"][aria-pressed="true"]`).waitFor();
  }
  await page.locator("#notice").filter({ hasText: "You’re offline. We’ll save this" }).waitFor();
  await shoot(page, "offline-1-picked", { whole: false });
  await page.reload();
  await page.locator('button.pick[value="live-laugh-log"][aria-pressed="true"]').waitFor();
  await page.locator("#notice").filter({ hasText: "Last updated" }).waitFor();
  await shoot(page, "offline-2-reloaded", { whole: false });
  await page.goto("/agenda");
  await page.locator("#slow-queries").waitFor();
  await page.goto("/sessions/never-opened");
  await page.locator("h1").filter({ hasText: "You’re offline" }).waitFor();
  await shoot(page, "offline-3-unknown-page");
  await page.goto("/");
  await page.locator("#notice").filter({ hasText: "Last updated" }).waitFor();

  await server.up();
  await page.locator("#notice").filter({ hasText: "your picks are saved" }).waitFor();
  await shoot(page, "offline-4-settled", { whole: false });
  assert.deepEqual((await held(page)).sort(), ["live-laugh-log", "search-for-speed", "slow-queries"]);
});

test("a release announces itself on open pages, and on the agenda that it touches", async (t) => {
  const { page } = await visitor(t, browser, server, { worker: true });
  await page.goto("/sessions/stpa");
  await pick(page, "stpa");
  const { page: agenda } = await visitor(t, browser, server, { worker: true, storageState: await page.context().storageState() });
  await agenda.goto("/agenda");
  const opened = page.waitForResponse("**/events");
  await page.goto("/");
  await opened;

  server.save((csv) => csv.replace("Mapping a Better Future with STPA", "Mapping an Even Better Future with STPA"));
  const notice = page.locator("#notice").filter({ hasText: "The program was updated." });
  await notice.waitFor();
  await shoot(page, "release-1-announced", { whole: false });
  await notice.locator("a").click();
  await page.locator("#stpa h4").filter({ hasText: "an Even Better Future" }).waitFor();

  await agenda.reload();
  await agenda.locator(".changed").filter({ hasText: "an Even Better Future" }).waitFor();
  await shoot(agenda, "release-2-changed-since");
  await page.goto("/changes");
  await page.locator(".changes li").filter({ hasText: "an Even Better Future" }).first().waitFor();
  await shoot(page, "release-3-changes");
});

test("an organizer uploads, previews and confirms, and an open page announces it", async (t) => {
  const { page: reader } = await visitor(t, browser, server, { worker: true });
  const { page } = await visitor(t, browser, server, { worker: true });
  const desk = await page.goto("/organizer");
  if (desk.status() === 404) {
    t.skip("GET /organizer answers 404: the organizer's pages are not served yet");
    return;
  }
  const opened = reader.waitForResponse("**/events");
  await reader.goto("/");
  await opened;

  await page.locator("input[name=secret]").fill("not-the-secret-at-all");
  await page.locator("form[action='/organizer/session'] button").click();
  await page.locator("[role=alert]").waitFor();
  await page.locator("input[name=secret]").fill(SECRET);
  await page.locator("form[action='/organizer/session'] button").click();
  await page.waitForURL("**/organizer");
  await shoot(page, "organizer-1-desk");
  const cookie = (await page.context().cookies()).find((it) => it.sameSite === "Strict");
  assert.ok(cookie.httpOnly && !(await page.content()).includes(SECRET));

  const upload = async (text) => {
    await page.goto("/organizer");
    await page.locator("input[type=file]").setInputFiles({ name: "program.csv", mimeType: "text/csv", buffer: Buffer.from(text) });
    await page.locator("form[action='/organizer/preview'] button").click();
  };
  await upload(shipped.program.replace("2025-03-25,16:20", "2025-03-25,26:20"));
  await page.locator(".faults .error").first().waitFor();
  assert.equal(await page.locator("form[action='/organizer/publish']").count(), 0, "errors cannot be published");
  await shoot(page, "organizer-2-errors");

  await upload(shipped.program.replace("The Search for Speed", "The Search for More Speed"));
  await page.locator(".changes li").filter({ hasText: "The Search for More Speed" }).waitFor();
  await shoot(page, "organizer-3-preview");
  assert.equal(await reader.locator("#notice").isVisible(), false, "a preview publishes nothing");
  await page.getByRole("button", { name: "Publish", exact: true }).click();
  await reader.locator("#notice").filter({ hasText: "The program was updated." }).waitFor();
  await shoot(reader, "organizer-4-announced", { whole: false });
  await page.goto("/organizer");
  await shoot(page, "organizer-5-published");
  await reader.goto("/sessions/search-for-speed");
  assert.equal(await reader.locator("h1").textContent(), "The Search for More Speed");
});
