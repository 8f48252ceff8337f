// The Nu HTML checker finds no error on any page that a crawl reaches, and forms and ids keep the rules that it does not
// check.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { CONFIG, PROBLEMS, PROGRAM, PUBLIC, WITHOUT_AGENDA, furnish, handOver, preview, signIn } from "./pages.js";
import { Server } from "./server.js";
import { launch, visitor } from "./visitor.js";

const JAR = join(createRequire(import.meta.url).resolve("vnu-jar/package.json"), "../build/dist/vnu.jar");
const hasJava = spawnSync("java", ["-version"]).status === 0;

let browser, server;
before(async () => {
  server = await Server.start({ program: PROGRAM, config: CONFIG });
  browser = await launch();
});
after(async () => { await browser?.close(); await server?.stop(); });

// The HTML of every page that links of public pages lead to, by its address.
async function crawl(origin, starts) {
  const found = new Map();
  const open = [...starts];
  const seen = new Set(open);
  while (open.length > 0) {
    const path = open.shift();
    const answer = await fetch(`${origin}${path}`, { headers: { accept: "text/html" }, redirect: "manual" });
    const text = await answer.text();
    if (!answer.headers.get("content-type")?.startsWith("text/html")) continue;
    found.set(path, text);
    for (const [, raw] of text.matchAll(/<a [^>]*href="([^"]+)"/g)) {
      const url = new URL(raw.replaceAll("&amp;", "&").replaceAll("&#38;", "&"), `${origin}${path}`);
      const next = `${url.pathname}${url.search}`;
      if (url.origin !== origin || seen.has(next) || /\.(ics|json|xml|atom|csv)$/.test(url.pathname)) continue;
      seen.add(next);
      open.push(next);
    }
  }
  return found;
}

// The pages of a crawl and those of one visitor, as the server sent them.
async function everything(t) {
  const owner = (await visitor(t, browser, server)).page;
  const guest = (await visitor(t, browser, server)).page;
  const pages = await furnish(owner);
  const found = await crawl(server.origin, [...PUBLIC, ...WITHOUT_AGENDA, ...PROBLEMS, ...pages.guest]);
  const take = async (page, path) => {
    const text = await page.evaluate(async (path) => (await fetch(path, { headers: { accept: "text/html" } })).text(), path);
    found.set(`${path}, with an agenda`, text);
  };
  for (const path of pages.own) await take(owner, path);
  const link = new URL(await handOver(owner));
  await guest.goto("/");
  await take(guest, link.pathname);
  await signIn(guest);
  await take(guest, "/organizer");
  await preview(guest);
  found.set("the preview of a release", await guest.content());
  return found;
}

test("the HTML checker finds no error on any page", { skip: hasJava ? false : "the checker needs Java" }, async (t) => {
  const found = await everything(t);
  assert.ok(found.size > 150, `the crawl reaches ${found.size} pages`);
  const directory = mkdtempSync(join(tmpdir(), "callboard-markup-"));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const names = [...found].map(([path, text], n) => {
    writeFileSync(join(directory, `${n}.html`), text);
    return path;
  });
  const run = spawnSync("java", ["-Xss4m", "-Xmx700m", "-jar", JAR, "--format", "json", "--skip-non-html", directory], { encoding: "utf8", maxBuffer: 1 << 28 });
  const { messages } = JSON.parse(run.stderr || run.stdout);
  const faults = messages
    .filter(({ type }) => type === "error" || type === "non-document-error")
    .map(({ url, message, extract }) => `${names[Number(url?.match(/(\d+)\.html$/)?.[1])] ?? url}: ${message} ${extract ?? ""}`);
  assert.deepEqual([...new Set(faults)].slice(0, 40), []);
  t.diagnostic(`${found.size} pages, ${messages.length} remarks that are no errors`);
});

test("the checker finds what is wrong", { skip: hasJava ? false : "the checker needs Java" }, () => {
  const run = spawnSync("java", ["-jar", JAR, "--format", "json", "-"], { input: "<!doctype html><title>x</title><p id=a><p id=a>", encoding: "utf8" });
  assert.match(run.stderr, /Duplicate ID/);
});

test("no id is there twice, every form has a button, and every field a name", async (t) => {
  const owner = (await visitor(t, browser, server)).page;
  const guest = (await visitor(t, browser, server)).page;
  const faults = [];
  const look = async (page, path) => {
    // The page as the server sent it: scripts add buttons and move them to other forms.
    if (page.url() === "about:blank") await page.goto("/");
    faults.push(...(await page.evaluate(async (path) => {
      const text = await (await fetch(path, { headers: { accept: "text/html" } })).text();
      const document = new DOMParser().parseFromString(text, "text/html");
      const ids = [...document.querySelectorAll("[id]")].map((it) => it.id);
      const twice = ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => `the id ${id} is there twice`);
      const dull = [...document.forms]
        .filter((form) => ![...form.elements].some((it) => it.type === "submit"))
        // The search adds buttons to this form while the visitor types.
        .filter((form) => form.id !== "pick" || !document.getElementById("search"))
        .map((form) => `the form ${form.id || form.action} has no button`);
      const broken = [...document.querySelectorAll("[for], [aria-labelledby], [aria-describedby], [form]")]
        .flatMap((it) => ["for", "aria-labelledby", "aria-describedby", "form"].flatMap((name) => (it.getAttribute(name) ?? "").split(" ").filter(Boolean)))
        .filter((id) => !document.getElementById(id))
        .map((id) => `nothing has the id ${id}`);
      return [...twice, ...dull, ...broken];
    }, path)).map((fault) => `${path}: ${fault}`));
  };
  const pages = await furnish(owner);
  for (const path of [...PUBLIC, ...WITHOUT_AGENDA, ...PROBLEMS, ...pages.guest]) await look(guest, path);
  for (const path of pages.own) await look(owner, path);
  await look(guest, new URL(await handOver(owner)).pathname);
  await look(guest, "/organizer");
  await signIn(guest);
  await look(guest, "/organizer");
  assert.deepEqual(faults, []);
});
