/** Reads the first records of a CSV file (RFC 4180) as rows of cells; a last line that is cut off is left out. */
export function readRows(text: string, most: number): string[][] {
  const rows: string[][] = [];
  const cell = /("(?:[^"]|"")*"|[^",\r\n]*)(,|\r\n|\n|\r)/y;
  let row: string[] = [];
  for (let match = cell.exec(text); match && rows.length < most; match = cell.exec(text)) {
    const [, written = "", end] = match;
    row.push(written.startsWith('"') ? written.slice(1, -1).replaceAll('""', '"') : written);
    if (end === ",") continue;
    rows.push(row);
    row = [];
  }
  return rows;
}

/** Writes rows as a CSV file that spreadsheets do not take for formulas (docs/specification.md §4.2). */
export function writeRows(rows: readonly (readonly string[])[]): string {
  return rows.map((row) => `${row.map(written).join(",")}\r\n`).join("");
}

function written(cell: string): string {
  const safe = /^'*[=+\-@＝＋－＠\t\r\n]/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Hands a file to the browser to be kept. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
