// `node compare.mjs OLD NEW`: every change from one schema to another, by graphql-inspector; fails on a breaking one.
import { readFile } from "node:fs/promises";

import { CriticalityLevel, diff } from "@graphql-inspector/core";
import { buildSchema } from "graphql";

const [before, after] = await Promise.all(
  process.argv.slice(2).map(async (path) => buildSchema(await readFile(path, "utf8"))),
);
const changes = await diff(before, after);
for (const { criticality, message } of changes) {
  console.log(`${criticality.level}: ${message}`);
}
const breaking = changes.filter(({ criticality }) => criticality.level === CriticalityLevel.Breaking);
console.log(`${changes.length} changes, ${breaking.length} of them breaking`);
process.exit(breaking.length ? 1 : 0);
