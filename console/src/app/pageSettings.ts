interface PageSettings {
  /** Origins of pages that may embed the card and hand over a token. */
  readonly embedOrigins: readonly string[];
  /** Whether there is demo traffic to show and to make. */
  readonly demo: boolean;
}

function read(): PageSettings {
  const content = document.querySelector<HTMLMetaElement>('meta[name="user-tags"]')?.content ?? "{}";
  return { embedOrigins: [], demo: false, ...(JSON.parse(content) as Partial<PageSettings>) };
}

/** What the service tells the page about itself (the `user-tags` meta element). */
export const pageSettings: PageSettings = read();
