/** Returns a path that can be decoded, as routes do: in one that cannot, there is no `%`. */
export function readablePath(path: string): string {
  try {
    decodeURI(path);
    return path;
  } catch {
    return path.replaceAll("%", "");
  }
}
