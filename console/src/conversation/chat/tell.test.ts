import { expect, it } from "vitest";
import { conversation as en } from "../../i18n/en/conversation";
import { conversation as zh } from "../../i18n/zh/conversation";
import type { Utterance } from "./demoChat";
import { isMessage, tellOf } from "./tell";

function utterance(kind: string, text = "", by: Utterance["by"] = "PERSON"): Utterance {
  return { number: 1, at: "2026-03-01T12:00:00Z", by, kind, text };
}

it.each([
  ["TEXT", "Hello", "Hello", true],
  ["IMAGE", "", "sent a picture", true],
  ["CARD", "Tea", "shared “Tea”", true],
  ["FOLLOW", "", "followed", false],
  ["FOLLOW", "poster", "followed by the QR code “poster”", false],
  ["CLICK", "MENU_HELP", "clicked the menu button MENU_HELP", false],
  ["OTHER", "LOCATION", "LOCATION", false],
  ["NEWS", "something", "something", false],
])("%s %j", (kind, text, told, message) => {
  expect(tellOf(utterance(kind, text), en)).toBe(told);
  expect(isMessage(utterance(kind, text))).toBe(message);
});

it("shows what the account sent as it was read", () => {
  expect(tellOf(utterance("MASS", "Sale", "ACCOUNT"), zh)).toBe("Sale");
  expect(isMessage(utterance("MASS", "Sale", "ACCOUNT"))).toBe(true);
});
