import { type Client, createClient, type SubscribePayload } from "graphql-ws";
import { language } from "../i18n/language";
import { caughtUpAt, connection } from "./connection";
import { expire, token, usableToken } from "./token";

const TOKEN_REFUSED = 4403;
const LONGEST_WAIT = 30_000;

/** Opens the WebSocket that all subscriptions of the page share, as soon as there is one; it connects again for ever. */
export function openSocket(): Client {
  let usedToken: string | null = null;
  return createClient({
    url: `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/graphql`,
    keepAlive: 20_000,
    retryAttempts: Number.POSITIVE_INFINITY,
    shouldRetry: () => true,
    connectionParams: async () => {
      usedToken = await usableToken();
      return { Authorization: `Bearer ${usedToken}`, "Accept-Language": acceptLanguage() };
    },
    retryWait: async (retries) => {
      // With a random part, so that a restart does not bring back all pages in one moment.
      const pause = Math.min(LONGEST_WAIT, 500 * 2 ** retries) * (0.5 + Math.random() / 2);
      await Promise.race([new Promise((resolve) => setTimeout(resolve, pause)), untilOnline()]);
      await usableToken();
    },
    on: {
      connected: (_socket, _payload, wasRetry) => {
        connection.value = "live";
        if (wasRetry) caughtUpAt.value = Date.now();
      },
      closed: (event) => {
        const { code, wasClean } = event as CloseEvent;
        if (code === TOKEN_REFUSED) expire(usedToken ?? token.peek());
        connection.value = wasClean && code === 1000 ? "idle" : "reconnecting";
      },
    },
  });
}

/**
 * Keeps the place of a subscription: returns its payload, whose `after` is the last cursor that was `seen`, so that a
 * connection that is made again is sent only what was missed (docs/frontend.md, "Follow live").
 */
export function resumable(payload: SubscribePayload): {
  payload: SubscribePayload;
  seen: (data: unknown) => void;
} {
  const variables = payload.variables ?? {};
  if (!("after" in variables)) return { payload, seen: () => {} };
  const own = { ...variables };
  const seen = (data: unknown) => {
    for (const event of Object.values((data ?? {}) as Record<string, { cursor?: unknown } | null>)) {
      if (typeof event?.cursor === "string") own.after = event.cursor;
    }
  };
  return { payload: { ...payload, variables: own }, seen };
}

/** What to send as `Accept-Language`, by which default tags are called. */
export function acceptLanguage(): string {
  return language.peek() === "zh" ? "zh-CN" : "en";
}

function untilOnline(): Promise<unknown> {
  return new Promise((resolve) => addEventListener("online", resolve, { once: true }));
}
