// Every kind of page, for the tests that look at all of them.
import { createECDH, randomBytes } from "node:crypto";
import { SECRET, shipped } from "./server.js";
import { pick, unfold } from "./visitor.js";

// The shipped program with a cancelled and a tentative session, so that their marks are looked at, too.
export const PROGRAM = shipped.program
  .replace(/^(coffee-tue-am,.*),\r?$/m, "$1,tentative")
  .replace(/^(reception,.*),\r?$/m, "$1,cancelled");

// The shipped config with messages to browsers, so that their part of the agenda page is looked at, too.
export const CONFIG = `${shipped.config}\n[push]\ncontact = "mailto:desk@conf.example.org"\n`;

// Pages that need neither an agenda nor a secret.
export const PUBLIC = [
  "/", "/?track=track-1&q=search", "/?q=observability", "/?q=no-such-word", "/?embed", "/sessions/slow-queries", "/sessions/reception",
  "/tracks/track-1", "/tracks/discussion-track", "/speakers/scott-laird", "/days/2025-03-25", "/speakers", "/tracks", "/rooms",
  "/changes", "/api", "/offline", "/subscribe/program", "/subscribe/tracks/track-1", "/subscribe/program?track=track-1&alarm=10m",
];

// Pages for a visitor without an agenda, and problem pages.
export const WITHOUT_AGENDA = [
  "/mine", "/agenda", "/agenda?done=deleted", "/agenda/import", "/agenda/import?picks=cut-off", "/team",
];
export const PROBLEMS = ["/no-such-page", `/agendas/${"x".repeat(20)}`, "/?day=tomorrow", "/?page=x&track=no-such-track", "/handover/used-up"];

// Adds a device to the agenda as the page's script does after the browser has subscribed.
async function addDevice(page) {
  const p256dh = createECDH("prime256v1").generateKeys("base64url");
  const device = { endpoint: `https://push.example.org/${randomBytes(8).toString("hex")}`, p256dh, auth: randomBytes(16).toString("base64url") };
  const status = await page.evaluate(async (device) => (await fetch("/agenda/devices", { method: "POST", body: new URLSearchParams(device) })).status, device);
  if (status !== 200 && status !== 201) throw new Error(`a device was answered with ${status}`);
}

// Makes an agenda with an overlap, a notified device and a second link, and returns the pages that belong to it.
export async function furnish(page) {
  await page.goto("/");
  for (const session of ["slow-queries", "ml-monitoring", "on-call-tales"]) await pick(page, session);
  await page.goto("/agenda");
  await addDevice(page);
  const shared = await page.locator(".link a[href^='/agendas/']").first().getAttribute("href");
  const link = (await page.locator(".link .copying input").first().inputValue());
  const { pathname, search } = new URL(await page.locator("#carry-address").inputValue());
  await page.goto("/team");
  await page.locator("textarea[name=links]").fill(link);
  await page.locator("main form button").click();
  await page.waitForURL("**/team/**");
  const team = new URL(page.url()).pathname;
  return {
    own: ["/", "/mine", "/agenda", "/agenda/plan", "/agenda?done=linked", "/agenda?done=arrived", "/sessions/slow-queries", "/mine/sessions/slow-queries", "/mine?q=observability", shared],
    guest: [shared, `/subscribe${shared}`, team, `/subscribe${team}`, `${pathname}${search}`],
  };
}

// A link that hands the agenda over to another device.
export async function handOver(page) {
  await page.goto("/agenda");
  await unfold(page, "other-device");
  await page.locator("form[action='/agenda/handover'] button").click();
  return page.locator("#hand-over").inputValue();
}

// Signs the organizer in; the page is then the desk.
export async function signIn(page) {
  await page.goto("/organizer");
  await page.locator("input[name=secret]").fill(SECRET);
  await page.locator("form[action='/organizer/session'] button").click();
  await page.waitForLoadState();
}

// The preview of a program with one changed title.
export async function preview(page) {
  await page.goto("/organizer");
  const buffer = Buffer.from(PROGRAM.replace(",Slow Queries", ",Slower Queries").replace("Breaking", "Braking"));
  await page.locator("input[type=file]").first().setInputFiles({ name: "program.csv", mimeType: "text/csv", buffer });
  await page.locator("form[action='/organizer/preview'] button").click();
  await page.waitForLoadState();
}
