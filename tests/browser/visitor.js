// Visitors, each with a browser profile of their own. An error in any of their pages fails the test.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { ROOT } from "./server.js";

export const ARTEFACTS = join(ROOT, "tests", "artefacts");
mkdirSync(ARTEFACTS, { recursive: true });

const SWITCHES = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync",
];

export const PHONE = { width: 360, height: 740 };
export const DESK = { width: 1440, height: 900 };

export function launch(...switches) {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: [...SWITCHES, ...switches] });
}

// Records errors of a page: a dialog, a script error, a violation of the Content-Security-Policy, a request to another
// site.
function watch(page, origin, wrongs) {
  page.on("dialog", async (dialog) => {
    wrongs.push(`a dialog says ${dialog.message()}`);
    await dialog.dismiss();
  });
  page.on("pageerror", (error) => wrongs.push(`${page.url()}: ${error}`));
  page.on("console", (message) => {
    if (/Content Security Policy|Refused to/i.test(message.text())) wrongs.push(`${page.url()}: ${message.text()}`);
  });
  page.on("request", (request) => {
    const url = request.url();
    if (!url.startsWith(`${origin}/`) && !/^(data|blob|about):/.test(url)) wrongs.push(`asks ${url}`);
  });
}

// A fresh profile, closed at the test's end. `links` resolve against the server. The worker keeps the whole program in the
// background, which takes longer than most tests, so a test has a worker only if it asks for it.
export async function visitor(t, browser, server, { worker = false, ...options } = {}) {
  const serviceWorkers = worker ? "allow" : "block";
  const context = await browser.newContext({ baseURL: server.origin, viewport: DESK, locale: "en-US", serviceWorkers, ...options });
  context.setDefaultTimeout(15_000);
  const wrongs = [];
  context.on("page", (page) => watch(page, server.origin, wrongs));
  const page = await context.newPage();
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrongs, []);
  });
  return { context, page };
}

// A screenshot of the whole page; or of the visible part, for elements that are fixed to the bottom of the window.
export const shoot = (page, name, { whole = true } = {}) =>
  page.screenshot({ path: join(ARTEFACTS, `${name}.png`), fullPage: whole, animations: "disabled" });

// With a script the button changes in place, without one the browser shows the same page with the picks marked.
export async function pick(page, session, { scripted = true } = {}) {
  const button = page.locator(`button.pick[value="${session}"]`);
  if (!scripted) {
    await button.click();
    await page.waitForURL(/\/mine\b/);
    return;
  }
  await page.locator("html.scripted").waitFor();
  const settled = page.waitForResponse((answer) => answer.url().endsWith("/agenda/picks"));
  await button.click();
  assert.equal((await settled).status(), 200);
  await page.locator(`button.pick[value="${session}"][aria-pressed="true"]`).waitFor();
}

// Waits until an asynchronous function in the page returns a true value. `waitForFunction` does not await promises.
export async function until(page, check, ...values) {
  for (let tries = 0; tries < 300; tries += 1) {
    if (await page.evaluate(check, ...values)) return;
    await page.waitForTimeout(100);
  }
  throw new Error(`never true: ${check}`);
}

// The picks that the server has stored, in the agenda's order.
export async function held(page) {
  return page.evaluate(async () => (await (await fetch("/agenda/state")).json()).picks);
}

// Opens a section of the settings on the agenda page.
export async function unfold(page, section) {
  const details = page.locator(`#${section}`);
  if (!(await details.evaluate((it) => it.open))) await details.locator("> summary").click();
}
