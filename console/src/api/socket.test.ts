import { describe, expect, it } from "vitest";
import { resumable } from "./socket";

describe("resumable", () => {
  it("asks for what follows the last cursor that was seen", () => {
    const { payload, seen } = resumable({ query: "", variables: { channel: "c", after: null } });
    expect(payload.variables).toEqual({ channel: "c", after: null });
    seen({ tagEvents: { cursor: "7" } });
    seen({ tagEvents: { cursor: "8" } });
    expect(payload.variables).toEqual({ channel: "c", after: "8" });
  });

  it("leaves the variables of whoever subscribes alone", () => {
    const variables = { after: null };
    resumable({ query: "", variables }).seen({ tagEvents: { cursor: "7" } });
    expect(variables).toEqual({ after: null });
  });

  it("keeps its place over an event without a cursor, and over an error", () => {
    const { payload, seen } = resumable({ query: "", variables: { after: "1" } });
    seen({ tagEvents: null });
    seen(null);
    seen(undefined);
    expect(payload.variables).toEqual({ after: "1" });
  });

  it("does nothing for a subscription that cannot be resumed", () => {
    const { payload, seen } = resumable({ query: "", variables: { id: "j" } });
    seen({ jobProgress: { cursor: "7" } });
    expect(payload.variables).toEqual({ id: "j" });
  });
});
