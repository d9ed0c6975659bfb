import { usableToken } from "../../api/token";

/** What a person or the account said or did last; `text` is what `kind` says it is. */
export interface Utterance {
  /** Rises within the account. */
  readonly number: number;
  /** When it was (RFC 3339). */
  readonly at: string;
  readonly by: "PERSON" | "ACCOUNT";
  readonly kind: string;
  readonly text: string;
}

export interface Conversation {
  readonly openid: string;
  /** What was said last; null where nothing is known to have been. */
  readonly last: Utterance | null;
}

/** What the imitated person can be made to do, and `reply`, which answers that person. */
export type ChatAction = "follow" | "unfollow" | "message" | "click" | "scan" | "reply";

/** Raised where the demo, or WeChat in its place, refuses. `errcode` is WeChat's. */
export class ChatError extends Error {
  readonly errcode: number | null;

  constructor(message: string, errcode: number | null) {
    super(message);
    this.errcode = errcode;
  }
}

/** Returns with whom the account of a channel talked, the newest first. Raises ChatError. */
export async function readConversations(channel: string, limit: number): Promise<readonly Conversation[]> {
  const query = { channelId: channel, limit: String(limit) };
  return (await ask<{ conversations: Conversation[] }>("GET", "/demo/conversations", query)).conversations;
}

/** Returns what was said to and by somebody after a number, the oldest first. Raises ChatError. */
export async function readConversation(
  channel: string,
  openid: string,
  after: number,
): Promise<readonly Utterance[]> {
  const query = { channelId: channel, after: String(after) };
  return (await ask<{ utterances: Utterance[] }>("GET", `/demo/conversations/${openid}`, query)).utterances;
}

/** Lets an imitated person do something, or answers that person. Raises ChatError where WeChat would refuse. */
export async function act(
  channel: string,
  openid: string,
  action: ChatAction,
  details: Record<string, string> = {},
): Promise<void> {
  await ask("POST", `/demo/${openid}/${action}`, { channelId: channel, ...details });
}

async function ask<Answer>(method: string, path: string, query: Record<string, string>): Promise<Answer> {
  const headers = { Authorization: `Bearer ${await usableToken()}` };
  let answer: Response;
  try {
    answer = await fetch(`${path}?${new URLSearchParams(query)}`, { method, headers });
  } catch (error) {
    throw new ChatError(String(error), null);
  }
  const body = (await answer.json()) as { errcode?: number; errmsg?: string; message?: string };
  if (!answer.ok || body.errcode)
    throw new ChatError(body.errmsg ?? body.message ?? "", body.errcode ?? null);
  return body as Answer;
}
