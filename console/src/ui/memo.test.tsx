import { cleanup, render, screen } from "@testing-library/preact";
import { afterEach, expect, it } from "vitest";
import { memo } from "./memo";

afterEach(cleanup);

it("renders anew for another value only", () => {
  let times = 0;
  const Row = memo(({ name }: { name: string }) => {
    times += 1;
    return <p>{name}</p>;
  });
  const { rerender } = render(<Row name="ann" />);
  rerender(<Row name="ann" />);
  expect(times).toBe(1);
  rerender(<Row name="ben" />);
  expect(times).toBe(2);
  expect(screen.getByText("ben")).toBeTruthy();
});
