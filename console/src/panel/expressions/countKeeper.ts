import { signal } from "@preact/signals";
import type { AudienceSizeFragment, TagExpressionInput } from "../../api/generated/graphql";
import type { Problem } from "../../api/problem";
import { toInput } from "./conversion";
import { canonical, countablePart } from "./countable";
import { type Tree, tagIdsOf } from "./tree";

export type Size = AudienceSizeFragment;

/** What is known of how many people there are. `size` may be older than the last change while `asking`. */
export interface Counted {
  readonly size: Size | null;
  readonly problem: Problem | null;
  readonly asking: boolean;
}

/** The answers for some expressions, in their order. */
export type Answers = readonly { readonly size: Size | null; readonly problem: Problem | null }[];

/** Asks for some expressions at once; returns how to stop asking. */
export type Ask = (
  expressions: readonly TagExpressionInput[],
  answer: (answers: Answers) => void,
) => () => void;

/** How many expressions are asked for in one request. */
export const AT_ONCE = 8;
/** How long to wait for further changes before asking, in milliseconds. */
export const PAUSE = 150;

interface Entry {
  readonly input: TagExpressionInput;
  readonly tags: readonly string[];
  counted: Counted;
  known: boolean;
}

interface Request {
  readonly keys: readonly string[];
  stop: () => void;
}

const UNKNOWN: Counted = { size: null, problem: null, asking: false };
const MOST_KEPT = 500;

/**
 * Counts the people of expressions of one channel in few requests: what is known is not asked again, what is no longer shown
 * is no longer asked for, and a burst of changes is one request.
 */
export class CountKeeper {
  private readonly ask: Ask;
  private readonly entries = new Map<string, Entry>();
  private readonly shown = new Map<unknown, readonly string[]>();
  private request: Request | null = null;
  private timer: ReturnType<typeof setTimeout> | null = null;
  /** Grows with everything that is learnt, so that whoever shows counts can follow. */
  readonly version = signal(0);

  constructor(ask: Ask) {
    this.ask = ask;
  }

  /** Says which trees somebody shows now, the most important first; replaces what they showed before. */
  show(viewer: unknown, trees: readonly Tree[]): void {
    this.shown.set(
      viewer,
      trees.flatMap((tree) => this.enter(tree) ?? []),
    );
    this.plan();
  }

  hide(viewer: unknown): void {
    this.shown.delete(viewer);
    this.plan();
  }

  /** Returns what is known of a tree, as far as something is chosen in it. */
  countOf(tree: Tree): Counted {
    const part = countablePart(tree);
    return (part && this.entries.get(canonical(part))?.counted) ?? UNKNOWN;
  }

  /** Asks again, in the course of a second, for whatever is shown and made of these tags; of all tags without them. */
  renew(tags: readonly string[] | null): void {
    for (const entry of this.entries.values()) {
      if (tags === null || entry.tags.some((tag) => tags.includes(tag))) entry.known = false;
    }
    this.plan(1000);
  }

  private enter(tree: Tree): string | null {
    const part = countablePart(tree);
    const input = part && toInput(part);
    if (!part || !input) return null;
    const key = canonical(part);
    if (!this.entries.has(key)) {
      this.forgetSome();
      this.entries.set(key, { input, tags: tagIdsOf(part), counted: UNKNOWN, known: false });
    }
    return key;
  }

  private forgetSome(): void {
    if (this.entries.size < MOST_KEPT) return;
    const shown = new Set([...this.shown.values()].flat());
    for (const key of [...this.entries.keys()]) if (!shown.has(key)) this.entries.delete(key);
  }

  private missing(): string[] {
    const shown = [...new Set([...this.shown.values()].flat())];
    return shown.filter((key) => this.entries.get(key)?.known === false);
  }

  private plan(pause = PAUSE): void {
    const missing = this.missing();
    if (this.request && !this.request.keys.some((key) => missing.includes(key))) {
      this.request.stop();
      this.release(this.request.keys);
    }
    if (this.timer !== null && pause === PAUSE) {
      clearTimeout(this.timer);
      this.timer = null;
    }
    if (missing.length > 0) this.timer ??= setTimeout(() => this.send(), pause);
  }

  private send(): void {
    this.timer = null;
    if (this.request) return;
    const keys = this.missing().slice(0, AT_ONCE);
    if (keys.length === 0) return;
    for (const key of keys) this.update(key, { asking: true });
    const request: Request = { keys, stop: () => {} };
    this.request = request;
    const inputs = keys.flatMap((key) => this.entries.get(key)?.input ?? []);
    request.stop = this.ask(inputs, (answers) => {
      this.release(keys);
      answers.forEach((answer, place) => {
        const entry = this.entries.get(keys[place] ?? "");
        if (!entry) return;
        entry.known = true;
        entry.counted = { ...answer, asking: false };
      });
      this.version.value += 1;
      this.send();
    });
    this.version.value += 1;
  }

  private release(keys: readonly string[]): void {
    this.request = null;
    for (const key of keys) this.update(key, { asking: false });
    this.version.value += 1;
  }

  private update(key: string, change: Partial<Counted>): void {
    const entry = this.entries.get(key);
    if (entry) entry.counted = { ...entry.counted, ...change };
  }
}
