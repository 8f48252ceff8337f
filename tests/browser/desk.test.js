// An organizer at work: signs in, publishes in three clicks, decides about a held release, restores, cancels, signs out.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, test } from "node:test";
import { Server, SECRET, shipped } from "./server.js";
import { DESK, PHONE, launch, shoot, visitor } from "./visitor.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser?.close(); });

async function check(page, what) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((it) => (it.open = true)));
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document));
  assert.deepEqual(violations.map(({ id, nodes }) => `${id}: ${nodes[0].html.slice(0, 200)} ${nodes[0].failureSummary}`), [], what);
  const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(over <= 0, `${what}: ${over} px wider than the window`);
}

async function signIn(page) {
  await page.goto("/organizer");
  await page.getByLabel("Organizer key").fill(SECRET);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("heading", { name: "Live release" }).waitFor();
}

const choose = (page, text) => page.getByLabel("File", { exact: true }).setInputFiles({
  name: "program.csv", mimeType: "text/csv", buffer: Buffer.from(text),
});

const done = (page, text) => page.locator(".done", { hasText: text }).waitFor();

// The live program without its last five rows, as if an upload was cut off.
const cut = (csv) => csv.trimEnd().split(/(?<=\n)(?=[a-z0-9-]+,2025-)/).slice(0, -5).join("");

for (const [viewport, colorScheme] of [[PHONE, "light"], [DESK, "dark"]]) {
  test(`an organizer works at ${viewport.width} px`, async (t) => {
    const server = await Server.start();
    t.after(() => server.stop());
    const { page, context } = await visitor(t, browser, server, { viewport, colorScheme });
    const name = (step) => `desk-${viewport.width}-${step}`;
    const desk = page.locator('.masthead a[href="/organizer"]');

    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    assert.equal(await desk.count(), 0, "visitors see no link to the desk");
    await page.goto("/organizer");
    await page.getByLabel("Organizer key").fill("not-the-key");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").filter({ hasText: "Wrong key" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "secret", "the field has the focus");
    await check(page, "a wrong key");
    await signIn(page);
    await check(page, "the desk");
    await shoot(page, name("1-live"));
    await page.goto("/");
    await desk.click();
    await page.getByRole("heading", { name: "Publish a program" }).waitFor();

    // From the chosen file to the live release: two clicks.
    const edited = shipped.program
      .replace("The Search for Speed", "The Search for More Speed")
      .replace(/^(coffee-tue-am,2025-03-25,[^,]*,)([^,]*),/m, "$1$2,");
    await choose(page, edited);
    await page.getByRole("button", { name: "Preview", exact: true }).click();
    const line = page.locator("li.edited", { hasText: "The Search for More Speed" });
    assert.match(await line.locator("del").innerText(), /The Search for Speed/);
    assert.match(await line.locator("ins").innerText(), /The Search for More Speed/);
    const summary = line.getByText(/^Line \d+ of the file$/);
    const number = Number((await summary.innerText()).match(/\d+/)[0]);
    assert.ok(edited.split("\n")[number - 1].startsWith("search-for-speed,"), `line ${number}`);
    await summary.click();
    await line.locator("pre", { hasText: "search-for-speed," }).waitFor();
    await check(page, "the preview");
    await shoot(page, name("2-preview"));
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await done(page, "Published: release 2 is live.");
    assert.equal(await page.evaluate(() => document.activeElement.className), "done", "the confirmation has the focus");
    await page.locator(".is-live h3", { hasText: "Release 2" }).waitFor();

    // A bug: the preview was the answer to a form, so the browser could not go back to it.
    await page.goBack();
    await page.getByText("Nothing would change.").waitFor();
    await page.reload();
    await page.getByText("Nothing would change.").waitFor();
    await page.getByRole("link", { name: "Organizer", exact: true }).first().click();

    // A file with errors is corrected on the page that lists them.
    await choose(page, edited.replace("2025-03-25,16:20", "2025-03-25,26:20"));
    await page.getByRole("button", { name: "Preview", exact: true }).click();
    await page.locator(".faults .error").first().waitFor();
    await check(page, "errors");
    await shoot(page, name("2-errors"));
    await page.getByLabel("Choose the corrected file").setInputFiles({
      name: "program.csv", mimeType: "text/csv", buffer: Buffer.from(edited),
    });
    await page.getByRole("button", { name: "Preview", exact: true }).click();
    await page.getByText("Nothing would change.").waitFor();
    await page.goto("/organizer");

    // The file differs from the upload now. A cut off file is held, and is published only with the right number.
    await page.getByRole("heading", { name: "The program file is ignored" }).waitFor();
    server.save(() => cut(edited));
    const held = page.getByRole("heading", { name: "A release waits for your confirmation" });
    for (let tries = 0; !(await held.count()); tries += 1) {
      assert.ok(tries < 100, "the saved file is not held");
      await page.waitForTimeout(200);
      await page.reload();
    }
    await check(page, "a held release");
    const top = (await held.boundingBox()).y;
    assert.ok(top < viewport.height / 2, `what waits for a decision stands at the top, not at ${top} px`);
    await shoot(page, name("3-held"));
    await page.getByLabel("Type 5 to publish anyway").fill("4");
    await page.getByRole("button", { name: "Publish anyway" }).click();
    await page.getByRole("alert").filter({ hasText: "“4” is not the number" }).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.name), "number", "the field has the focus");
    await check(page, "a wrong number");
    await shoot(page, name("4-wrong-number"));
    await page.locator(".risk").getByLabel("Type 5 to publish anyway").fill("5");
    await page.getByRole("button", { name: "Publish anyway" }).click();
    await done(page, "Published: release 3 is live.");

    await page.getByRole("button", { name: "Restore release 2" }).click();
    await page.locator("li.restored").first().waitFor();
    await page.getByText("From: release 2, restored.").waitFor();
    await page.getByRole("button", { name: "Publish", exact: true }).click();
    await done(page, "Published: release 4 is live.");

    // A program for later is seen on the desk and cancelled there.
    await choose(page, edited.replace("The Search for More Speed", "The Search for Top Speed"));
    await page.getByRole("button", { name: "Preview", exact: true }).click();
    await page.getByText("Publish later").click();
    await page.getByLabel("Date and time").fill("2001-01-01T09:00");
    await page.getByRole("button", { name: "Schedule" }).click();
    await page.getByRole("alert").filter({ hasText: "Nothing was scheduled" }).waitFor();
    await page.getByLabel("Date and time").fill("2095-03-24T09:00");
    await page.getByRole("button", { name: "Schedule" }).click();
    await done(page, "The program is scheduled.");
    await page.getByText(/goes live on March 24, 2095, 9:00 am P[DS]T\. ops scheduled it/).waitFor();
    await check(page, "a schedule");
    await shoot(page, name("5-schedule"));
    await page.getByRole("button", { name: "Cancel the publication" }).click();
    await done(page, "The planned publication is canceled.");

    await page.getByRole("link", { name: "Picks by session" }).click();
    await page.getByText("No session has 5 picks yet.").waitFor();
    await check(page, "picks");
    await page.goBack();

    await page.getByRole("button", { name: /^Sign out/ }).click();
    await page.getByText("You are signed out.").waitFor();
    assert.deepEqual((await context.cookies()).filter(({ name: it }) => it.includes("organizer")), []);
    await page.goto("/");
    await page.locator("html.scripted").waitFor();
    assert.equal(await desk.count(), 0, "the link is gone");
  });
}

test("without scripts the desk works too, and the agenda page links to it", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  const { page } = await visitor(t, browser, server, { viewport: PHONE, javaScriptEnabled: false });
  await signIn(page);
  await page.goto("/agenda");
  await page.locator('.masthead a[href="/organizer"]').click();
  await choose(page, cut(shipped.program));
  await page.getByRole("button", { name: "Preview", exact: true }).click();
  await page.locator(".risk").getByLabel("Type 5 to publish anyway").fill("6");
  await page.getByRole("button", { name: "Publish anyway" }).click();
  await page.getByRole("alert").filter({ hasText: "“6” is not the number" }).waitFor();
  await page.locator(".risk").getByLabel("Type 5 to publish anyway").fill("5");
  await page.getByRole("button", { name: "Publish anyway" }).click();
  await done(page, "Published: release 2 is live.");
});

test("picks and calendars are tables that fit on a phone", async (t) => {
  const server = await Server.start();
  t.after(() => server.stop());
  for (let n = 0; n < 6; n += 1) {
    const body = JSON.stringify({ name: "", picks: n < 5 ? ["slow-queries", "stpa"] : ["stpa"] });
    const answer = await fetch(`${server.origin}/api/v1/agendas`, {
      method: "POST", body, headers: { "content-type": "application/json" },
    });
    assert.equal(answer.status, 201);
  }
  for (const agent of ["iOS/17.4 dataaccessd/1.0", "Google-Calendar-Importer"]) {
    await fetch(`${server.origin}/program.ics`, { headers: { "user-agent": agent } });
  }
  for (const viewport of [PHONE, DESK]) {
    const { page } = await visitor(t, browser, server, { viewport });
    await signIn(page);
    for (const app of ["Apple Calendar", "Google Calendar"]) await page.getByRole("cell", { name: app }).waitFor();
    await check(page, "calendars");
    await shoot(page, `desk-${viewport.width}-6-calendars`);
    // A bug: at 1440 px the share of calendars pushed the file below the date.
    const release = page.locator(".release", { hasText: "In 2 of 2 calendars (100%)" });
    const [date, file, share] = await Promise.all([
      release.locator("p").first(), release.getByRole("link", { name: "program.csv" }), release.locator(".share"),
    ].map((part) => part.boundingBox()));
    if (viewport === DESK) {
      assert.ok(file.x > date.x + date.width && Math.abs(file.y + file.height / 2 - date.y - date.height / 2) < 8, "the file stands in the line of the date");
      assert.ok(share.y >= date.y + date.height && share.x === date.x, "the share stands below the date");
    } else {
      assert.ok(file.y >= share.y + share.height, "on a phone the parts stand one below the other");
    }
    await page.getByRole("link", { name: "Picks by session" }).click();
    assert.deepEqual(await page.locator("td.number").allInnerTexts(), ["6", "5"]);
    await page.getByRole("link", { name: "By time" }).click();
    assert.deepEqual(await page.locator("td.number").allInnerTexts(), ["5", "6"]);
    await check(page, "picks");
    await shoot(page, `desk-${viewport.width}-7-picks`);
  }
});
