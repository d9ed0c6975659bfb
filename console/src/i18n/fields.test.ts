import { expect, it } from "vitest";
import { broadcasts } from "./zh/broadcasts";
import { fields } from "./zh/fields";

it("says in the words of the language what is wrong with an input, and else what the service says", () => {
  expect(fields.text("TOO_MANY", "Too many.")).toBe("数量太多。");
  expect(fields.text("SOMETHING_NEW", "Something new.")).toBe("Something new.");
});

it("says of a broadcast what is said everywhere, unless it has words of its own", () => {
  expect(broadcasts.fieldProblem("BAD_CHARACTER", "")).toBe(fields.text("BAD_CHARACTER", ""));
  expect(broadcasts.fieldProblem("TOO_FEW", "")).not.toBe(fields.text("TOO_FEW", ""));
});
