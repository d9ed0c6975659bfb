import { expect, it, vi } from "vitest";

it("is ready only when it can speak, even where another language is chosen while the first is loaded", async () => {
  vi.resetModules();
  const { chooseLanguage } = await import("./language");
  const { ready, useMessages } = await import("./messages");
  chooseLanguage("zh");
  await ready;
  expect(useMessages().common.loading).toBe("加载中…");
});
