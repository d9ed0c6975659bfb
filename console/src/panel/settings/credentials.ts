import type { UpdateChannelInput } from "../../api/generated/graphql";

export type Secret = "appSecret" | "callbackToken" | "encodingAesKey";

export const SECRETS: readonly Secret[] = ["appSecret", "callbackToken", "encodingAesKey"];

/** What is to become of each secret: a new text, or empty to leave it; `remove` takes it away. */
export interface SecretDraft {
  readonly text: string;
  readonly remove: boolean;
}

export type CredentialsDraft = Readonly<Record<Secret, SecretDraft>>;

const KEPT: SecretDraft = { text: "", remove: false };
export const NOTHING_ENTERED: CredentialsDraft = {
  appSecret: KEPT,
  callbackToken: KEPT,
  encodingAesKey: KEPT,
};

const SHAPES: Partial<Record<Secret, RegExp>> = {
  callbackToken: /^[A-Za-z0-9]{3,32}$/,
  encodingAesKey: /^[A-Za-z0-9]{43}$/,
};
const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/** Returns the secrets whose new text cannot be right (docs/integrator.md, "Connect WeChat"). */
export function malformed(draft: CredentialsDraft): Secret[] {
  return SECRETS.filter((secret) => {
    const { text, remove } = draft[secret];
    return !remove && text.trim() !== "" && SHAPES[secret]?.test(text.trim()) === false;
  });
}

/** Returns what is sent: what was entered, an empty text for what is removed; what is kept is left out. */
export function changesIn(draft: CredentialsDraft): Pick<UpdateChannelInput, Secret> {
  const changes = SECRETS.flatMap((secret): [Secret, string][] => {
    const { text, remove } = draft[secret];
    if (remove) return [[secret, ""]];
    return text.trim() === "" ? [] : [[secret, text.trim()]];
  });
  return Object.fromEntries(changes);
}

/** Draws a secret of so many letters and digits, each as likely as the other. */
export function drawSecret(length: number): string {
  const limit = 256 - (256 % LETTERS.length);
  let drawn = "";
  while (drawn.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < limit && drawn.length < length) drawn += LETTERS[byte % LETTERS.length];
    }
  }
  return drawn;
}
