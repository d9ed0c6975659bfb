import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { dismissToast, hold, letGo, showToast, toasts } from "./toast";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  for (const { id } of toasts.value) dismissToast(id);
  vi.useRealTimers();
});

const texts = () => toasts.value.map(({ text }) => text);

it("goes away by itself, later where something can be taken back", () => {
  showToast({ text: "Saved" });
  showToast({ text: "Removed", undo: { label: "Undo", run: () => {} } });
  vi.advanceTimersByTime(6_000);
  expect(texts()).toEqual(["Removed"]);
  vi.advanceTimersByTime(6_000);
  expect(texts()).toEqual([]);
});

it("stays while it is held", () => {
  showToast({ text: "Saved" });
  const [toast] = toasts.value;
  if (!toast) throw new Error("no toast");
  hold(toast.id);
  vi.advanceTimersByTime(60_000);
  expect(texts()).toEqual(["Saved"]);
  letGo(toast);
  vi.advanceTimersByTime(6_000);
  expect(texts()).toEqual([]);
});
