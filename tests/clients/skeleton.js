// The structure of calendars by ical.js, the parser of Thunderbird and Nextcloud: components, properties and parameters
// without values. Takes file names as arguments and prints one line of JSON for each.

import { readFileSync } from "node:fs";
import ICAL from "ical.js";

const bones = ([name, properties, components]) => [
  name,
  properties.map(([property, parameters, kind, ...values]) => [property, Object.keys(parameters).sort(), kind, values.length]),
  components.map(bones),
];

for (const file of process.argv.slice(2)) {
  const parsed = ICAL.parse(readFileSync(file, "utf8"));
  const calendars = typeof parsed[0] === "string" ? [parsed] : parsed;
  console.log(JSON.stringify(calendars.map(bones)));
}
