/** Returns a text as it is compared: full and half width, upper and lower case are the same. */
export function normalized(text: string): string {
  return text.normalize("NFKC").trim().toLowerCase();
}
