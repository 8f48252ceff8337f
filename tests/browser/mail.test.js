// Invitations by mail: the form among the settings, with scripts and without, and the pages behind the links of mails.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { BINARY, ROOT, Server } from "./server.js";
import { PHONE, launch, pick, shoot, visitor } from "./visitor.js";

const CONFIG = readFileSync(join(ROOT, "config", "callboard.toml"), "utf8");

let browser, server, relay;
const mails = [];

// A relay that accepts every mail.
function startRelay() {
  const listener = createServer((socket) => {
    let text = "", inMail = false;
    socket.write("220 relay\r\n");
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      text += chunk;
      for (;;) {
        const end = inMail ? text.indexOf("\r\n.\r\n") : text.indexOf("\r\n");
        if (end < 0) return;
        const part = text.slice(0, end);
        text = text.slice(end + (inMail ? 5 : 2));
        if (inMail) {
          mails.push(part);
          inMail = false;
          socket.write("250 queued\r\n");
        } else if (part === "DATA") {
          inMail = true;
          socket.write("354 go ahead\r\n");
        } else {
          socket.write("250 ok\r\n");
        }
      }
    });
  });
  return new Promise((done) => listener.listen(0, "127.0.0.1", () => done(listener)));
}

before(async () => {
  relay = await startRelay();
  const table = `[mail]\nrelay = "smtp://127.0.0.1:${relay.address().port}"\nfrom = "calendar@conf.example.org"\n`;
  server = await Server.start({ config: `${CONFIG}\n${table}` });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); relay?.close(); });

// Sends what waits, and returns the link in the last mail.
async function lastLink() {
  const { flags } = server;
  const config = flags[flags.indexOf("--config") + 1], data = flags[flags.indexOf("--data") + 1];
  await promisify(execFile)(BINARY, ["deliver", "--once", "--config", config, "--data", data]);
  const decoded = mails.at(-1).replaceAll("=\r\n", "");
  return new URL(decoded.match(/https?:\/\/\S+\/mail\/(confirm|end)\/[\w-]+/)[0]).pathname;
}

for (const scripts of [true, false]) {
  test(`an address is confirmed, listed and removed ${scripts ? "with" : "without"} scripts`, async (t) => {
    const { page } = await visitor(t, browser, server, { viewport: PHONE, javaScriptEnabled: scripts });
    const address = `ada${scripts ? 1 : 2}@example.org`;
    await page.goto("/");
    await pick(page, "slow-queries", { scripted: scripts });
    await page.goto("/agenda");
    await page.locator("#mail summary").click();
    assert.match(await page.locator("#mail").textContent(), /With both, your calendar shows every session twice/);
    await page.getByLabel("Mail address").fill("no address");
    await page.getByRole("button", { name: "Send me a mail to confirm" }).click();
    assert.match(page.url(), /\/agenda$/, "the browser refuses what is no address");
    await page.getByLabel("Mail address").fill(address);
    await shoot(page, `mail-form-${scripts}`);
    await page.getByRole("button", { name: "Send me a mail to confirm" }).click();
    await page.getByText("A mail is on its way to this address").waitFor();
    assert.equal(await page.locator("#mail li").count(), 0, "nothing is stored yet");
    const link = await lastLink();
    await page.goto(link);
    assert.match(await page.locator("main").textContent(), /a…@example\.org/);
    await shoot(page, `mail-confirm-${scripts}`);
    await page.getByRole("button", { name: "Send me invitations" }).click();
    await page.getByText("The first invitation is on its way.").waitFor();
    await page.goto("/agenda");
    await page.locator("#mail summary").click();
    assert.match(await page.locator("#mail li").textContent(), /a…@example\.org/);
    await page.locator("#mail li button").click();
    await page.getByText("No more invitations are sent to this address.").waitFor();
    assert.equal(await page.locator("#mail li").count(), 0);
  });
}

test("a link that was made up is not found", async (t) => {
  const { page } = await visitor(t, browser, server);
  const answer = await page.goto("/mail/end/AAAA");
  assert.equal(answer.status(), 404);
});
