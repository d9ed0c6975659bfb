import { expect, it } from "vitest";
import { EMPTY_LIST, importRequest, lacksOf, nameOfRequest, submission } from "./listDraft";
import { readOpenids } from "./openidList";

const NAMED = { ...EMPTY_LIST, category: "Level", label: "Gold" };
const NOW = Date.parse("2026-03-01T12:00:00Z");
const seen = { columns: [], now: NOW };
const lacks = (draft = NAMED, text = "oAda", mode: "ADD" | "REMOVE" | "REPLACE" = "ADD") => [
  ...lacksOf(draft, mode, "paste", readOpenids(text), seen),
];

it("lets a list with a name and an openid go", () => {
  expect(lacks()).toEqual([]);
});

it("says what is missing, and what there is too much of", () => {
  expect(lacks(EMPTY_LIST, "")).toEqual(["category", "label", "openids"]);
  expect(lacks(NAMED, "no/one")).toEqual(["nothingUsable"]);
  expect(lacks(NAMED, "oAda\n".repeat(10_001))).toEqual(["tooMany"]);
  expect(lacks({ ...NAMED, expires: "2020-01-01T00:00" })).toEqual(["expires"]);
});

it("replaces with malformed entries only where that is wanted", () => {
  expect(lacks(NAMED, "oAda\nno/one", "REPLACE")).toEqual(["replaceBlocked"]);
  expect(lacks({ ...NAMED, allowRejected: true }, "oAda\nno/one", "REPLACE")).toEqual([]);
  expect(lacks(NAMED, "oAda\nno/one", "ADD")).toEqual([]);
});

it("needs a file, and its column once the service has said which there are", () => {
  const file = new File(["user\noAda\n"], "people.csv");
  const given = readOpenids("");
  expect([...lacksOf(NAMED, "ADD", "file", given, seen)]).toEqual(["file"]);
  const columns = ["user", "name"];
  expect([...lacksOf({ ...NAMED, file }, "ADD", "file", given, { columns, now: NOW })]).toEqual(["column"]);
  expect([
    ...lacksOf({ ...NAMED, file, column: "user" }, "ADD", "file", given, { columns, now: NOW }),
  ]).toEqual([]);
});

it("sends malformed entries too, so that the receipt names them", () => {
  const sent = submission("c1", NAMED, "ADD", readOpenids("oAda\nno/one"));
  expect(sent).toMatchObject({
    openids: ["oAda", "no/one"],
    description: null,
    expiresAt: null,
    openidsOf: null,
  });
});

it("lets only what is added end by itself", () => {
  const draft = { ...NAMED, expires: "2030-01-01T00:00" };
  expect(submission("c1", draft, "ADD", readOpenids("oAda")).expiresAt).toBe(
    new Date("2030-01-01T00:00").toISOString(),
  );
  expect(importRequest("c1", draft, "REMOVE").expiresAt).toBeUndefined();
});

it("takes the same file under the same settings for the same request", () => {
  const file = new File(["oAda"], "people.csv", { lastModified: 1 });
  const request = importRequest("c1", NAMED, "ADD");
  expect(nameOfRequest(request, file)).toBe(nameOfRequest({ ...request }, file));
  expect(nameOfRequest(request, file)).not.toBe(
    nameOfRequest(request, new File(["oBob"], "people.csv", { lastModified: 2 })),
  );
});
