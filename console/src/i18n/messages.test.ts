import { expect, it } from "vitest";
import * as english from "./en";
import * as englishAudit from "./en/audit";
import * as englishBroadcasts from "./en/broadcasts";
import * as englishLooking from "./en/looking";
import * as englishMerging from "./en/merging";
import * as englishSettings from "./en/settings";
import * as englishWebhooks from "./en/webhooks";
import * as chinese from "./zh";
import * as chineseAudit from "./zh/audit";
import * as chineseBroadcasts from "./zh/broadcasts";
import * as chineseLooking from "./zh/looking";
import * as chineseMerging from "./zh/merging";
import * as chineseSettings from "./zh/settings";
import * as chineseWebhooks from "./zh/webhooks";

const en = {
  ...english,
  ...englishAudit,
  ...englishBroadcasts,
  ...englishLooking,
  ...englishMerging,
  ...englishSettings,
  ...englishWebhooks,
};
const zh = {
  ...chinese,
  ...chineseAudit,
  ...chineseBroadcasts,
  ...chineseLooking,
  ...chineseMerging,
  ...chineseSettings,
  ...chineseWebhooks,
};

function texts(part: object, path: string): [string, string][] {
  return Object.entries(part).flatMap(([key, value]): [string, string][] => {
    if (typeof value === "object" && value !== null) return texts(value, `${path}.${key}`);
    return typeof value === "string" ? [[`${path}.${key}`, value]] : [];
  });
}

/** What is called alike in both languages. */
const TERMS = /enter|shift|delete|openid|unionid|appid|token|webhook|user tags/gi;

it("says something in both languages, with nothing left untranslated", () => {
  const english = new Map(texts(en, ""));
  const alike = texts(zh, "").filter(
    ([path, text]) => text === english.get(path) && /[a-z]{4}/.test(text.replaceAll(TERMS, "")),
  );
  expect(alike).toEqual([]);
  const silent = (part: object) => texts(part, "").flatMap(([path, text]) => (text.trim() ? [] : [path]));
  expect(silent(zh)).toEqual(silent(en));
});
