import { signal } from "@preact/signals";

export type Toast = {
  id: number;
  text: string;
  tone: "neutral" | "negative";
  undo: { label: string; run: () => void } | undefined;
};

type ToastOptions = {
  text: string;
  tone?: Toast["tone"];
  /** Takes back what the text says was done. */
  undo?: { label: string; run: () => void };
};

const LASTS = 6_000;
const LASTS_WITH_UNDO = 12_000;

/** What is told at the moment, oldest first. */
export const toasts = signal<readonly Toast[]>([]);
const timers = new Map<number, ReturnType<typeof setTimeout>>();
let last = 0;

/** Tell something in passing; it goes away by itself unless somebody points at it. */
export function showToast({ text, tone = "neutral", undo }: ToastOptions): void {
  last += 1;
  const toast = { id: last, text, tone, undo };
  toasts.value = [...toasts.value, toast].slice(-4);
  letGo(toast);
}

/** Take one toast away. */
export function dismissToast(id: number): void {
  hold(id);
  toasts.value = toasts.value.filter((toast) => toast.id !== id);
}

/** Keep a toast while somebody is at it. */
export function hold(id: number): void {
  clearTimeout(timers.get(id));
  timers.delete(id);
}

/** Let a toast go away when its time is over. */
export function letGo({ id, undo }: Toast): void {
  hold(id);
  timers.set(
    id,
    setTimeout(() => dismissToast(id), undo ? LASTS_WITH_UNDO : LASTS),
  );
}
