// Picks go from one visitor to another: by a file, and by a QR code that contains them.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import jsQR from "jsqr";
import { Server, shipped } from "./server.js";
import { PHONE, held, launch, pick, shoot, visitor } from "./visitor.js";

let browser, server;
before(async () => {
  server = await Server.start();
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// Decodes the QR code of the page, as a phone's camera does.
async function scan(svg) {
  const { data, side } = await svg.evaluate(async (it) => {
    const text = new XMLSerializer().serializeToString(it);
    const picture = new Image();
    picture.src = `data:image/svg+xml;base64,${btoa(text)}`;
    const side = 4 * it.viewBox.baseVal.width;
    picture.width = picture.height = side;
    await picture.decode();
    const canvas = Object.assign(document.createElement("canvas"), { width: side, height: side });
    const context = canvas.getContext("2d");
    context.drawImage(picture, 0, 0, side, side);
    return { data: Array.from(context.getImageData(0, 0, side, side).data), side };
  });
  return jsQR(Uint8ClampedArray.from(data), side, side)?.data;
}

for (const scripted of [true, false]) {
  test(`a calendar file is shown before it is taken (${scripted ? "scripted" : "plain"})`, async (t) => {
    const { page } = await visitor(t, browser, server, { javaScriptEnabled: scripted, viewport: PHONE });
    const foreign = ["BEGIN:VCALENDAR", "BEGIN:VEVENT", "UID:x@elsewhere", "SUMMARY:Nobody knows <b>this</b>",
      "DTSTART:20250325T160000Z", "END:VEVENT", "END:VCALENDAR", ""].join("\r\n");
    const track = await (await fetch(`${server.origin}/sessions/slow-queries.ics`)).text();
    const file = track.replace("END:VCALENDAR\r\n", foreign.replace("BEGIN:VCALENDAR\r\n", ""));
    await page.goto("/agenda");
    await page.locator("main a[href='/agenda/import']").click();
    const upload = { name: "agenda.ics", mimeType: "text/calendar", buffer: Buffer.from(file) };
    await page.locator("input[type=file]").setInputFiles(upload);
    await page.locator("main form[enctype] button").click();
    await page.getByRole("heading", { name: "Found (1)" }).waitFor();
    await page.getByRole("heading", { name: "Not in this program (1)" }).waitFor();
    assert.equal(await page.getByText("Nobody knows <b>this</b>").count(), 1);
    await shoot(page, `exchange-${scripted ? "scripted" : "plain"}`);
    await page.locator("main section form button").click();
    await page.waitForURL(/\/agenda(\?|$)/);
    assert.equal(await page.locator("main .plan h4").count(), 1);
  });
}

test("a QR code carries a hundred picks to somebody without an agenda, and a look takes nothing", async (t) => {
  const { page: owner } = await visitor(t, browser, server);
  await owner.goto("/");
  await pick(owner, "slow-queries");
  const ids = shipped.program.match(/^[a-z0-9][a-z0-9-]+(?=,\d{4}-)/gm).slice(0, 100);
  const picked = await owner.evaluate(async (sessions) => {
    const body = new URLSearchParams(sessions.map((id) => ["session", id]));
    body.append("action", "pick");
    const answer = await fetch("/agenda/picks", { method: "POST", body, headers: { accept: "application/json" } });
    return (await answer.json()).picks;
  }, ids);
  assert.ok(picked.length >= 50, `${picked.length}`);
  await owner.goto("/agenda");
  const section = owner.locator("#carry");
  await section.locator("> summary").click();
  await section.locator("details summary").click();
  const address = await section.locator("input").inputValue();
  assert.equal(await scan(section.locator("svg.qr")), address);

  const { page: guest, context } = await visitor(t, browser, server, { viewport: PHONE });
  await guest.goto(address);
  assert.deepEqual(await context.cookies(), []);
  await guest.getByRole("heading", { name: `Found (${picked.length})` }).waitFor();
  await guest.locator("main section form button").click();
  await guest.waitForURL("**/agenda");
  assert.deepEqual((await held(guest)).sort(), picked.sort());
});
