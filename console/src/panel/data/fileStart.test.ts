import { expect, it } from "vitest";
import { startOf } from "./fileStart";

it("shows the first lines of UTF-8, also where the last character looked at is cut in two", async () => {
  const text = `openid,姓名\r\n\r\noAda,艾达\n${"万".repeat(30_000)}`;
  const start = await startOf(new Blob([text]));
  expect(start.lines.slice(0, 2)).toEqual(["openid,姓名", "oAda,艾达"]);
  expect(start.encoding).toBeUndefined();
});

it("knows what a spreadsheet in China wrote", async () => {
  // "openid,姓名" in GB18030.
  const bytes = new Uint8Array([...new TextEncoder().encode("openid,"), 0xd0, 0xd5, 0xc3, 0xfb, 0x0a]);
  expect(await startOf(new Blob([bytes]))).toEqual({ lines: ["openid,姓名"], encoding: "gb18030" });
});

it("reads UTF-16 by its byte order mark", async () => {
  const bytes = new Uint8Array([0xff, 0xfe, 0x6f, 0, 0x0a, 0]);
  expect(await startOf(new Blob([bytes]))).toEqual({ lines: ["o"], encoding: undefined });
});
