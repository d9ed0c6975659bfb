import { expect, it } from "vitest";
import { changeOf, readAdIds } from "./adIds";

it("takes a column of a spreadsheet: line ends of any kind, quotes, blanks, empty lines", () => {
  expect(readAdIds('1001\r\n "1002" \r\r\n\n１００３\u200b\n')).toEqual({
    ids: ["1001", "1002", "1003"],
    lines: [],
  });
});

it("names the line of each entry that is no id or repeats one", () => {
  const { ids, lines } = readAdIds(`1001\n\n1001\n1002\tSummer\n${"9".repeat(65)}\nbad\u0007id`);
  expect(ids).toEqual(["1001"]);
  expect(lines.map(({ line, why }) => [line, why])).toEqual([
    [3, "repeated"],
    [4, "severalCells"],
    [5, "malformed"],
    [6, "malformed"],
  ]);
});

it("counts characters as the service does, not halves of them", () => {
  expect(readAdIds("😀".repeat(64)).ids).toHaveLength(1);
});

it("tells how many ids come and go", () => {
  expect(changeOf(["a", "b", "c"], ["c", "d"])).toEqual({ added: 1, gone: 2 });
});
