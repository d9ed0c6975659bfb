import { effect, untracked } from "@preact/signals";
import { pageSettings } from "../app/pageSettings";
import { expired, fits, left, signIn, token } from "./token";

const CHANNEL = "user-tags-token";

/**
 * Takes a token from where one may come: the fragment of the address (`#token=…`, which is removed at once), another tab
 * of this console, or a page of an allowed origin that opened or embeds this one (`postMessage`).
 */
export function listenForTokens(): void {
  takeFromFragment();
  addEventListener("hashchange", takeFromFragment);
  shareWithTabs();
  listenToEmbedder();
}

function takeFromFragment(): void {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given === null) return;
  fragment.delete("token");
  const rest = fragment.toString();
  history.replaceState(history.state, "", location.pathname + location.search + (rest ? `#${rest}` : ""));
  signIn(given);
}

function shareWithTabs(): void {
  const tabs = new BroadcastChannel(CHANNEL);
  const usable = () => (expired.value ? null : token.value);
  tabs.onmessage = ({ data }: MessageEvent<{ asks?: true; token?: string }>) => {
    const held = untracked(usable);
    if (data.asks && held !== null) tabs.postMessage({ token: held });
    if (data.token && fits(data.token)) signIn(data.token);
  };
  effect(() => {
    const held = usable();
    // A new one is told unasked: in other tabs the same person's may have expired, too.
    if (held !== null) tabs.postMessage({ token: held });
    else if (!left.value) tabs.postMessage({ asks: true });
  });
}

function listenToEmbedder(): void {
  const { embedOrigins } = pageSettings;
  addEventListener("message", ({ data, origin }: MessageEvent<{ type?: string; token?: unknown } | null>) => {
    if (!embedOrigins.includes(origin) || data?.type !== "user-tags-token") return;
    if (typeof data.token === "string") signIn(data.token);
  });
  // Whoever embeds the page learns that it needs to be told, at first and again; nothing secret is said.
  const host: Window | null = parent !== window ? parent : opener;
  effect(() => {
    const type = token.value === null ? "user-tags-ready" : expired.value ? "user-tags-expired" : null;
    if (type !== null) for (const origin of addressees(embedOrigins)) host?.postMessage({ type }, origin);
  });
}

/** Returns those of the allowed origins that the page around this one may have: only one, where the browser says which. */
function addressees(allowed: readonly string[]): readonly string[] {
  const around = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);
  return around ? allowed.filter((origin) => origin === around) : allowed;
}
