// Golden mails, read by postal-mime, and their calendars by ical.js: parsers that share no code with Python's.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ICAL from "ical.js";
import PostalMime from "postal-mime";

const golden = path.join(path.resolve(import.meta.dirname, "../.."), "tests/golden");
const mails = readdirSync(golden).filter((name) => /^mail-.*\.eml$/.test(name)).sort();

test("there are mails of every kind", () => assert.equal(mails.length, 8));

for (const name of mails) {
  test(`${name} is understood`, async () => {
    const mail = await PostalMime.parse(readFileSync(path.join(golden, name)));
    assert.equal(mail.from.address, "calendar@conf.example.org");
    assert.equal(mail.from.name, name.endsWith("-ja.eml") ? "小さなカンファレンス" : "Small Conference, '2025'");
    assert.deepEqual(mail.to.map(({ address }) => address), ["Ada.Lovelace@example.org"]);
    assert.equal(Date.parse(mail.date), Date.parse("2025-03-01T12:00:00Z"));
    if (name.includes("confirm")) {
      assert.match(mail.text, /^https?:\/\/\S+\/mail\/confirm\/[\w-]+$/m);
      return;
    }
    assert.match(mail.subject, /longer than one line of a header field$/);
    assert.match(mail.text, /Zoë Müller/);
    assert.match(mail.text, /^https?:\/\/\S+\/mail\/end\/[\w-]+\s*$/m);
    const calendars = mail.attachments.filter(({ mimeType }) => mimeType === "text/calendar");
    assert.equal(calendars.length, 1);
    const method = name.includes("cancellation") ? "CANCEL" : "REQUEST";
    assert.equal(calendars[0].method, method);
    const text = new TextDecoder("utf-8", { fatal: true }).decode(calendars[0].content);
    const calendar = new ICAL.Component(ICAL.parse(text));
    assert.equal(calendar.getFirstPropertyValue("method"), method);
    for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
    const events = calendar.getAllSubcomponents("vevent");
    assert.equal(events.length, 1);
    const event = new ICAL.Event(events[0]);
    assert.equal(event.startDate.toJSDate().toISOString(), "2025-03-25T09:00:00.000Z");
    assert.equal(event.organizer, "mailto:calendar@conf.example.org");
    assert.deepEqual(event.attendees.map((one) => one.getFirstValue()), ["mailto:Ada.Lovelace@example.org"]);
    assert.match(event.summary, /ünïcode & a title/);
    assert.ok(event.sequence >= 0 && event.uid.includes("@"));
  });
}
