import { batch, computed, signal } from "@preact/signals";

/** The token with which the page asks, kept in memory only; null while nobody is signed in. */
export const token = signal<string | null>(null);

/** Whether the service refused the token, so that a new one is needed before anything goes on. */
export const expired = signal(false);

/** Whether somebody signed out here: no other tab signs them in again. */
export const left = signal(false);

/** Says when a token expires, in milliseconds of Unix time; null for what is no JWT, or has no `exp`. */
export function expiryOf(jwt: string): number | null {
  const { exp } = claimsOf(jwt);
  return typeof exp === "number" ? exp * 1000 : null;
}

/** Names whom a token stands for and what it is good for: two tokens of one name may read the same. */
export function identityOf(jwt: string): string {
  const { sub, robot, role, channels } = claimsOf(jwt);
  return JSON.stringify([sub, robot, role, channels]);
}

// Only to arrange the page: what a token is worth is for the service to say.
function claimsOf(jwt: string): Record<string, unknown> {
  try {
    const part = (jwt.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/");
    return (JSON.parse(atob(part)) as Record<string, unknown> | null) ?? {};
  } catch {
    return {};
  }
}

/** Takes a token that somebody pasted or handed over; what waited for one goes on. */
export function signIn(jwt: string): void {
  batch(() => {
    expired.value = false;
    left.value = false;
    token.value = jwt.trim();
  });
}

/** Forgets the token, here only: other tabs keep theirs. */
export function signOut(): void {
  batch(() => {
    expired.value = false;
    left.value = true;
    token.value = null;
  });
}

/**
 * Tells whether a token of another tab is for this one: for whoever is not signed in and did not sign out, and in place of
 * an expired one where it is a newer one of the same person. Nobody turns into somebody else.
 */
export function fits(offered: string): boolean {
  const held = token.peek();
  if (held === null) return !left.peek();
  return expired.peek() && offered !== held && identityOf(offered) === identityOf(held);
}

/** Notes that the service no longer takes the token. The page stays as it is until there is a new one. */
export function expire(refused: string | null): void {
  if (refused === token.value) expired.value = true;
}

const usable = computed(() => (expired.value ? null : token.value));

/** Returns the token, as soon as there is one that was not refused. */
export function usableToken(): Promise<string> {
  return new Promise((resolve) => {
    const unsubscribe = usable.subscribe((found) => {
      if (found === null) return;
      resolve(found);
      // Not at once: the first call comes before there is anything to end.
      queueMicrotask(() => unsubscribe());
    });
  });
}
