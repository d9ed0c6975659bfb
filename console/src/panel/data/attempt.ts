import { useRef } from "preact/hooks";

/** Gives every request a key of its own; the same request, sent again because it went wrong, keeps it. */
export class Attempts {
  #request: string | null = null;
  #key = "";

  /** Returns the idempotency key of a request, told by what makes it the same. */
  keyOf(request: string): string {
    if (request !== this.#request) {
      this.#request = request;
      this.#key = `console-${randomName()}`;
    }
    return this.#key;
  }

  /** Notes that the request is done: the next one is another, whatever it says. */
  done(): void {
    this.#request = null;
  }
}

/** Keeps the attempts of a form. */
export function useAttempts(): Attempts {
  const attempts = useRef<Attempts | null>(null);
  attempts.current ??= new Attempts();
  return attempts.current;
}

/** Draws 128 bits; `crypto.randomUUID` is missing where a page came over plain HTTP. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
