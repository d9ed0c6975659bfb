import { expect, it } from "vitest";
import { importAddress, outcomeOf } from "./upload";

const REQUEST = {
  channelId: "Q2hhbm5lbDox",
  category: "Level",
  label: "Gold & more",
  mode: "ADD",
  idempotencyKey: "k",
} as const;

it("says in the address what was chosen, and leaves out what was not", () => {
  expect(importAddress({ ...REQUEST, description: "", expiresAt: undefined })).toBe(
    "/import/return-data?channelId=Q2hhbm5lbDox&category=Level&label=Gold+%26+more&mode=ADD&idempotencyKey=k",
  );
});

it("reads the counts from the headers, and offers the rejected entries where there are any", async () => {
  const headers: Record<string, string> = { "x-import-added": "2", "x-import-rejected": "1" };
  const file = new Blob(["openid,line,reason\r\nno/one,4,malformed\r\n"]);
  const outcome = await outcomeOf(200, (name) => headers[name] ?? null, file);
  expect(outcome).toMatchObject({
    kind: "done",
    summary: { added: 2, rejected: 1, unmatched: 0 },
    rejects: file,
  });
  delete headers["x-import-rejected"];
  expect(await outcomeOf(200, (name) => headers[name] ?? null, file)).toMatchObject({ rejects: null });
});

it("keeps what the service says of a refusal, and what was written before", async () => {
  const body = { code: "NO_OPENID_COLUMN", message: "…", columns: ["user", "name"], summary: { added: 0 } };
  const outcome = await outcomeOf(400, () => null, new Blob([JSON.stringify(body)]));
  expect(outcome).toMatchObject({
    kind: "failed",
    problem: { code: "NO_OPENID_COLUMN", columns: ["user", "name"], summary: { added: 0 } },
  });
});

it("takes an answer that is not the service's for a line that broke off", async () => {
  const outcome = await outcomeOf(502, () => null, new Blob(["<html>Bad gateway</html>"]));
  expect(outcome).toMatchObject({ kind: "failed", problem: { code: "BROKEN_OFF", summary: null } });
});
