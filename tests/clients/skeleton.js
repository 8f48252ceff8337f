// What ical.js, the parser of Thunderbird and Nextcloud, finds in calendars: components, properties, parameters;
// none of the values. Files are named on the command line; one line of JSON answers each.

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
