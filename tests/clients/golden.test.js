// Every golden feed and the zone sweep, read by ical.js, the parser of Thunderbird and Nextcloud.
//
// Local times are resolved only by the feed's own VTIMEZONE.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { test } from "node:test";
import ICAL from "ical.js";

const root = path.resolve(import.meta.dirname, "../..");
const golden = path.join(root, "tests/golden");
const zones = path.join(process.env.CARGO_TARGET_DIR ?? path.join(root, "target"), "tmp/zones");

function feeds(folder) {
  return readdirSync(folder).filter((name) => name.endsWith(".ics")).sort();
}

/** Parses an ISO time; the expected times are all in UTC. */
function expected(folder, feed) {
  const truth = JSON.parse(readFileSync(path.join(folder, feed.replace(/ics$/, "json")), "utf8"));
  return truth
    .map(({ uid, start, end, summary, status }) => {
      return { uid, start: Date.parse(start) / 1000, end: Date.parse(end) / 1000, summary, status };
    })
    .sort(byUid);
}

function byUid(a, b) {
  return a.uid < b.uid ? -1 : 1;
}

function read(folder, feed) {
  const calendar = new ICAL.Component(ICAL.parse(readFileSync(path.join(folder, feed), "utf8")));
  ICAL.TimezoneService.reset();
  const brought = new Map();
  for (const component of calendar.getAllSubcomponents("vtimezone")) {
    const zone = new ICAL.Timezone(component);
    brought.set(zone.tzid, zone);
  }
  const instant = (event, name) => {
    const property = event.getFirstProperty(name);
    const tzid = property.getParameter("tzid");
    const time = property.getFirstValue();
    if (tzid) {
      assert.ok(brought.has(tzid), `${feed} has no VTIMEZONE ${tzid}`);
      time.zone = brought.get(tzid);
    } else {
      assert.equal(time.zone, ICAL.Timezone.utcTimezone, "a floating time has no instant");
    }
    return time.toUnixTime();
  };
  return calendar.getAllSubcomponents("vevent").map((event) => ({
    uid: event.getFirstPropertyValue("uid"),
    start: instant(event, "dtstart"),
    end: instant(event, "dtend"),
    summary: event.getFirstPropertyValue("summary"),
    status: event.getFirstPropertyValue("status"),
  })).sort(byUid);
}

for (const feed of feeds(golden)) {
  test(`ical.js finds the same sessions in ${feed}`, () => {
    assert.deepEqual(read(golden, feed), expected(golden, feed));
  });
}

test("ical.js finds every instant around every clock change of the zone sweep", () => {
  const sweep = feeds(zones);
  assert.ok(sweep.length > 500, "run `cargo test zones` first; it writes these feeds");
  const wrong = sweep.filter((feed) => {
    try {
      assert.deepEqual(read(zones, feed), expected(zones, feed));
      return false;
    } catch {
      return true;
    }
  });
  assert.deepEqual(wrong, []);
});
