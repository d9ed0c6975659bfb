import { CombinedError } from "@urql/core";
import { describe, expect, it } from "vitest";
import { problemOf } from "./problem";

describe("problemOf", () => {
  it("reads code, fields and what else the service says", () => {
    const fields = [{ path: "input.adIds.3", code: "TOO_LONG", message: "too long" }];
    const error = new CombinedError({
      graphQLErrors: [{ message: "wrong", extensions: { code: "BAD_USER_INPUT", fields, retryAfter: 3 } }],
    });
    expect(problemOf(error)).toEqual({
      code: "BAD_USER_INPUT",
      message: "wrong",
      fields: [{ path: ["input", "adIds", 3], code: "TOO_LONG", message: "too long" }],
      retryAfter: 3,
      requestId: null,
      errcode: null,
    });
  });

  it("calls a service that does not answer unreachable", () => {
    const problem = problemOf(new CombinedError({ networkError: new Error("Failed to fetch") }));
    expect(problem.code).toBe("UNREACHABLE");
  });
});
