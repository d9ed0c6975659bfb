import { signal } from "@preact/signals";

/** `idle`: nothing is followed; `live`: whatever happens is shown at once; `reconnecting`: the line is down. */
export type Connection = "idle" | "live" | "reconnecting";

/** State of the connection over which the page follows what happens. */
export const connection = signal<Connection>("idle");

/** When the page last came back after the line had been down, in milliseconds of Unix time; null if it never was. */
export const caughtUpAt = signal<number | null>(null);
