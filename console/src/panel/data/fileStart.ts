export interface FileStart {
  readonly lines: readonly string[];
  /** `gb18030` where the file is not UTF-8 or UTF-16, as spreadsheets in China write it; undefined otherwise. */
  readonly encoding: "gb18030" | undefined;
}

const LOOKED_AT = 65_536;
const LINES = 5;

/** Reads the first lines of a file, however large it is, and tells in which encoding it must be read. */
export async function startOf(file: Blob): Promise<FileStart> {
  const bytes = new Uint8Array(await file.slice(0, LOOKED_AT).arrayBuffer());
  const { text, encoding } = decoded(bytes);
  const lines = text.split(/\r\n|\n|\r/).filter((line) => line.trim() !== "");
  return { lines: lines.slice(0, LINES).map((line) => line.slice(0, 200)), encoding };
}

function decoded(bytes: Uint8Array): { text: string; encoding: "gb18030" | undefined } {
  const utf16 =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? "utf-16le"
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? "utf-16be"
        : null;
  try {
    // The last character may be cut in two, which `stream` allows.
    const decoder = new TextDecoder(utf16 ?? "utf-8", { fatal: utf16 === null });
    return { text: decoder.decode(bytes, { stream: true }), encoding: undefined };
  } catch {
    return { text: new TextDecoder("gb18030").decode(bytes, { stream: true }), encoding: "gb18030" };
  }
}
