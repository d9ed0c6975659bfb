// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/preact";
import { afterEach, expect, it, vi } from "vitest";
import { Button } from "./Button";

afterEach(cleanup);

it("says why it cannot be pressed, and does nothing", () => {
  const onClick = vi.fn();
  render(
    <Button reason="Agents do not delete tags" onClick={onClick}>
      Delete
    </Button>,
  );
  const button = screen.getByRole("button", { name: "Delete" });
  fireEvent.click(button);
  expect(onClick).not.toHaveBeenCalled();
  const reason = document.getElementById(button.getAttribute("aria-describedby") ?? "");
  expect(reason?.textContent).toBe("Agents do not delete tags");
});

it("does not submit its form while it is busy", () => {
  const onSubmit = vi.fn((event: Event) => event.preventDefault());
  render(
    <form onSubmit={onSubmit}>
      <Button type="submit" busy>
        Save
      </Button>
    </form>,
  );
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  expect(onSubmit).not.toHaveBeenCalled();
});
