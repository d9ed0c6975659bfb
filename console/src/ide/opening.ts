import { listenForTokens } from "../api/handover";
import { expired, token } from "../api/token";

/** What the editors hold when the page opens; what is undefined is as the reader left it. */
export interface Opening {
  readonly query: string | undefined;
  readonly variables: string | undefined;
  readonly headers: { readonly Authorization: string };
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
    variables: indented(fragment.get("variables")),
    headers: { Authorization: `Bearer ${bearer}` },
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

/** Lays out JSON over several lines; what is none stays as it is, for its reader to mend. */
function indented(json: string | null): string | undefined {
  if (json === null) return undefined;
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}
