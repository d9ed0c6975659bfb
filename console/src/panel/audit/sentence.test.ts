import { readFileSync } from "node:fs";
import { buildSchema, type GraphQLEnumType } from "graphql";
import { describe, expect, it } from "vitest";
import type { AuditRowFragment } from "../../api/generated/graphql";
import * as englishMost from "../../i18n/en";
import * as english from "../../i18n/en/audit";
import * as chineseMost from "../../i18n/zh";
import * as chinese from "../../i18n/zh/audit";
import type { Messages } from "./messages";
import { detailOf, sentenceOf, textOf } from "./sentence";

const en: Messages = { ...englishMost, ...english };
const zh: Messages = { ...chineseMost, ...chinese };
const schema = buildSchema(readFileSync("../schema.graphql", "utf8"));
/** What hands over data is not on record; what commands do is. */
const NOT_RECORDED = ["recordEvents", "linkIdentities", "submitReturnData"];
const COMMANDS = ["confirmActing", "repair"];

const row = (more: object): AuditRowFragment =>
  ({
    subject: "ann",
    outcome: "DONE",
    count: 1,
    target: null,
    targetId: null,
    detail: null,
    ...more,
  }) as unknown as AuditRowFragment;
const tag = {
  __typename: "ReturnTag",
  id: "t",
  kind: "RETURN",
  category: "Orders",
  name: "Paid",
  channel: { id: "c" },
  mergedInto: null,
};

describe.each([
  ["English", en],
  ["Chinese", zh],
])("in %s", (_, m) => {
  it("has words for each act that is on record, and no two alike", () => {
    const acts = Object.keys(schema.getMutationType()?.getFields() ?? {});
    const recorded = [...acts.filter((act) => !NOT_RECORDED.includes(act)), ...COMMANDS].sort();
    expect(Object.keys(m.audit.actions).sort()).toEqual(recorded);
    expect(new Set(Object.values(m.audit.actions).map(([, todo]) => todo)).size).toBe(recorded.length);
  });

  it("has words for each way in which it may end", () => {
    const outcomes = (schema.getType("AuditOutcome") as GraphQLEnumType).getValues();
    expect(Object.keys(m.audit.outcomes).sort()).toEqual(outcomes.map(({ name }) => name).sort());
  });
});

it("says who did what to what, with the way there", () => {
  const said = sentenceOf(row({ action: "deleteTag", target: tag }), en);
  expect(textOf(said)).toBe("ann deleted the tag Orders / Paid");
  expect(said.object?.href).toBe("/channels/c/tags/t");
  const merged = { ...tag, mergedInto: { category: "Orders", name: "Bought" } };
  expect(textOf(sentenceOf(row({ action: "mergeTag", target: merged }), en))).toBe(
    "ann merged the tag Orders / Paid into Orders / Bought",
  );
});

it("counts refusals, and tells them from failures", () => {
  const refused = row({ action: "deleteTag", outcome: "DENIED", count: 12 });
  expect(textOf(sentenceOf(refused, en))).toBe(
    "ann was not allowed to delete a tag (12 times within a minute)",
  );
  expect(textOf(sentenceOf(row({ action: "bindChannel", outcome: "FAILED" }), en))).toBe(
    "ann tried to bind a channel, and it failed",
  );
});

it("speaks of what is gone, and of acts that it does not know", () => {
  const targetId = btoa("WebhookEndpoint:7").replaceAll("=", "");
  expect(textOf(sentenceOf(row({ action: "deleteWebhookEndpoint", targetId }), en))).toBe(
    "ann deleted the webhook to an address that is deleted",
  );
  expect(textOf(sentenceOf(row({ action: "paintTag", target: tag }), en))).toBe(
    "ann did paintTag: Orders / Paid",
  );
});

it("says in the reader's language that a link was opened", () => {
  expect(detailOf(row({ detail: "The link was opened." }), zh)).toBe("文件链接被打开。");
  expect(detailOf(row({ detail: "Something else." }), zh)).toBe("Something else.");
});
