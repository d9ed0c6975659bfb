import { expect, it } from "vitest";
import { stateOf, undoObstacle } from "./receiptStates";

const NOW = Date.parse("2026-03-01T12:00:00Z");
const ADDED = { mode: "ADD", undoneAt: null, expiresAt: null } as const;
const ENDED = { ...ADDED, expiresAt: "2026-03-01T12:00:00Z" };

it("is in force until it is undone or its time is over", () => {
  expect(stateOf(ADDED, NOW)).toBe("inForce");
  expect(stateOf({ ...ADDED, expiresAt: "2026-03-01T12:00:01Z" }, NOW)).toBe("inForce");
  expect(stateOf(ENDED, NOW)).toBe("ended");
  expect(stateOf({ ...ENDED, undoneAt: "2026-02-01T00:00:00Z" }, NOW)).toBe("undone");
});

it("can be undone by who may hand data back, where it added and is in force", () => {
  expect(undoObstacle(ADDED, true, NOW)).toBeNull();
  expect(undoObstacle(ADDED, false, NOW)).toBe("role");
  expect(undoObstacle({ ...ADDED, mode: "REPLACE" }, true, NOW)).toBe("mode");
  expect(undoObstacle(ENDED, true, NOW)).toBe("ended");
});
