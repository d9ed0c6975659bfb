import type { Messages } from "../../i18n/messages";
import type { Utterance } from "./demoChat";

/** Says in words what somebody said or did. */
export function tellOf({ by, kind, text }: Utterance, m: Messages["conversation"]): string {
  if (by === "ACCOUNT" || kind === "TEXT") return text;
  if (kind === "FOLLOW") return text === "" ? m.did.FOLLOW : m.did.FOLLOW_BY(text);
  const told = kind in m.did ? m.did[kind as keyof typeof m.did] : m.did.OTHER;
  return typeof told === "string" ? told : told(text);
}

/** Tells whether it is a message, to be shown as one, and not something that was done. */
export function isMessage({ by, kind }: Utterance): boolean {
  return by === "ACCOUNT" || kind === "TEXT" || kind === "IMAGE" || kind === "CARD";
}
