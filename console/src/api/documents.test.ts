import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { hashOf, treeOf } from "./documents";
import { ViewerDocument } from "./generated/graphql";

it("knows a document by the SHA-256 of the text that is trusted", () => {
  const trusted: Record<string, string> = JSON.parse(
    readFileSync("src/api/generated/persisted-documents.json", "utf8"),
  );
  const hash = hashOf(treeOf(ViewerDocument));
  const text = trusted[`sha256:${hash}`];
  expect(text).toContain("query Viewer");
  expect(
    createHash("sha256")
      .update(text ?? "")
      .digest("hex"),
  ).toBe(hash);
});

it("parses a document once", () => {
  expect(treeOf(ViewerDocument)).toBe(treeOf(ViewerDocument));
});
