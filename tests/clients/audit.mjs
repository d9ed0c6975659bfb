// Prints every audit of graphql-http's suite that is not ok, one JSON line each, and then how many there were.
import { createRequire } from "node:module";

const { auditServer } = createRequire(process.env.MODULES)("graphql-http");
const headers = { Authorization: `Bearer ${process.env.TOKEN}` };
const fetchFn = (url, init = {}) => fetch(url, { ...init, headers: { ...init.headers, ...headers } });
const results = await auditServer({ url: `${process.env.URL}/graphql`, fetchFn });
for (const { status, id, name, reason } of results) {
  if (status !== "ok") console.log(JSON.stringify({ status, id, name, reason }));
}
console.log(JSON.stringify({ audits: results.length }));
