// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/preact";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Loading } from "./Loading";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

it("shows nothing for 300 ms, and says what is on its way after that", () => {
  render(<Loading label="Loading tags" />);
  act(() => void vi.advanceTimersByTime(299));
  expect(screen.queryByRole("status")).toBeNull();
  act(() => void vi.advanceTimersByTime(1));
  expect(screen.getByRole("status").textContent).toBe("Loading tags");
});
