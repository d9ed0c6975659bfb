import { describe, expect, it } from "vitest";
import * as en from "../i18n/en";
import { faultOf } from "./TokenForm";

const NOW = Date.parse("2026-05-01T12:00:00Z");
const jwt = (claims: object) => `e30.${btoa(JSON.stringify(claims))}.c2ln`;

describe("faultOf", () => {
  it("takes a token that is good for a while, with blanks around it", () => {
    expect(faultOf(` ${jwt({ exp: NOW / 1000 + 60 })}\n`, NOW, en)).toBeNull();
  });

  it("says since when a token is over", () => {
    expect(faultOf(jwt({ exp: NOW / 1000 }), NOW, en)).toMatch(/^This token expired on 1 May 2026/);
  });

  it("tells what is no token at all", () => {
    for (const text of ["", "hello", "a.b.c", jwt({ sub: "somebody" })]) {
      expect(faultOf(text, NOW, en)).toBe(en.session.malformed);
    }
  });
});
