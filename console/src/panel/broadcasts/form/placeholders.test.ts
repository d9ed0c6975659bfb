import { describe, expect, it } from "vitest";
import { byteLength, partsOf, tagPlaceholder } from "./placeholders";

describe("partsOf", () => {
  it("parts placeholders from text, with what stands in for them", () => {
    expect(partsOf("Dear {{tag:Follow time|old | friend}}, {{ openid }}!")).toEqual([
      { text: "Dear ", placeholder: null },
      {
        text: "{{tag:Follow time|old | friend}}",
        placeholder: { category: "Follow time", fallback: "old | friend" },
      },
      { text: ", ", placeholder: null },
      { text: "{{ openid }}", placeholder: { category: null, fallback: null } },
      { text: "!", placeholder: null },
    ]);
  });

  it.each(["{{name}}", "{{tag:}}", "{{openid", "{openid}", ""])("leaves %j as it is", (text) => {
    expect(partsOf(text).every(({ placeholder }) => placeholder === null)).toBe(true);
    expect(
      partsOf(text)
        .map((part) => part.text)
        .join(""),
    ).toBe(text);
  });

  it("reads what is inserted", () => {
    const [part] = partsOf(tagPlaceholder("关注时间", "您好"));
    expect(part?.placeholder).toEqual({ category: "关注时间", fallback: "您好" });
    expect(partsOf(tagPlaceholder("Level", ""))[0]?.placeholder).toEqual({
      category: "Level",
      fallback: null,
    });
  });
});

it("measures texts in bytes of UTF-8", () => {
  expect(byteLength("tea 茶")).toBe(7);
});
