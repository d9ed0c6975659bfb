import { beforeEach, describe, expect, it } from "vitest";
import { expire, expired, expiryOf, fits, identityOf, signIn, signOut, token, usableToken } from "./token";

function jwt(claims: object): string {
  const part = (value: object) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part({ alg: "HS256" })}.${part(claims)}.signature`;
}

describe("expiryOf", () => {
  it("reads the seconds of `exp` as milliseconds", () => {
    expect(expiryOf(jwt({ sub: "~?>", exp: 1_800_000_000 }))).toBe(1_800_000_000_000);
  });

  it.each(["", "no token", "a.b.c", jwt({}), jwt({ exp: "soon" }), `x.${btoa("null")}.y`])(
    "knows none of %j",
    (text) => {
      expect(expiryOf(text)).toBeNull();
    },
  );
});

describe("identityOf", () => {
  it("tells people, roles, robots and channels apart, but not two tokens of one", () => {
    const mine = { sub: "a", robot: "r", role: "agent", channels: ["c"] };
    const name = (claims: object) => identityOf(jwt({ ...mine, ...claims }));
    expect(name({ exp: 1 })).toBe(name({ exp: 2 }));
    const others = [{ sub: "b" }, { robot: "s" }, { role: "admin" }, { channels: undefined }];
    expect(new Set([{}, ...others].map(name)).size).toBe(5);
  });
});

describe("a token", () => {
  beforeEach(signOut);

  it("is waited for until there is one, and again once it was refused", async () => {
    const first = usableToken();
    signIn(" one\n");
    expect(await first).toBe("one");
    expire("one");
    const second = usableToken();
    signIn("two");
    expect(await second).toBe("two");
  });

  it("is not given up for the refusal of an older one", () => {
    signIn("new");
    expire("old");
    expect(expired.value).toBe(false);
    expect(token.value).toBe("new");
  });
});

describe("a token of another tab", () => {
  const [mine, renewed, others] = [
    jwt({ sub: "a", exp: 1 }),
    jwt({ sub: "a", exp: 2 }),
    jwt({ sub: "b", exp: 2 }),
  ];

  it("is for whoever has none, but not once they signed out", () => {
    signIn(mine);
    signOut();
    expect(fits(mine)).toBe(false);
  });

  it("takes the place of an expired one of the same person alone", () => {
    signIn(mine);
    expect(fits(renewed)).toBe(false);
    expire(mine);
    expect([mine, renewed, others].map(fits)).toEqual([false, true, false]);
  });
});
