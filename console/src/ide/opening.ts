import { listenForTokens } from "../api/handover";
import { expired, token } from "../api/token";

/** What the editors hold when the page opens; what is undefined is as the reader left it. */
export interface Opening {
  readonly query: string | undefined;
  readonly variables: string | undefined;
  readonly headers: string;
}

/** Milliseconds in which another tab can hand over its token. */
const OTHER_TABS_WITHIN = 150;

/**
 * Takes `#token=…&query=…&variables=…` out of the address at once; a token may also come from another tab of the
 * console. Without one, the headers say where it goes.
 */
export async function readOpening(): Promise<Opening> {
  const fragment = new URLSearchParams(location.hash.slice(1));
  listenForTokens();
  if (location.hash) history.replaceState(history.state, "", location.pathname + location.search);
  await tokenOr(OTHER_TABS_WITHIN);
  const bearer = token.peek() ?? "";
  return {
    query: fragment.get("query") ?? undefined,
    variables: fragment.get("variables") ?? undefined,
    headers: JSON.stringify({ Authorization: `Bearer ${bearer}` }, null, 2),
  };
}

function tokenOr(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    const wait = setTimeout(resolve, milliseconds);
    const stop = token.subscribe((value) => {
      if (value === null || expired.peek()) return;
      clearTimeout(wait);
      resolve();
      queueMicrotask(() => stop());
    });
  });
}
