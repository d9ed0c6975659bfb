// @vitest-environment happy-dom
import { render } from "@testing-library/preact";
import { beforeAll, expect, it } from "vitest";
import { ready } from "../../i18n/messages";
import { QueuedLong } from "./QueuedLong";

beforeAll(() => ready);

const ago = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString();

it("says so when nothing begins a job", () => {
  const { container } = render(<QueuedLong job={{ state: "QUEUED", createdAt: ago(60) }} />);
  expect(container.textContent).toContain("Nothing has begun it yet");
});

it("says nothing of a job that was asked for just now, or that began", () => {
  for (const job of [
    { state: "QUEUED", createdAt: ago(1) },
    { state: "RUNNING", createdAt: ago(60) },
  ] as const) {
    expect(render(<QueuedLong job={job} />).container.textContent).toBe("");
  }
});
