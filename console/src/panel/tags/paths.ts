const part = encodeURIComponent;

/** Addresses of the pages about tags of a channel, and of those that they lead to. */
export const paths = {
  tags: (channel: string) => `/channels/${part(channel)}/tags`,
  tag: (channel: string, tag: string) => `/channels/${part(channel)}/tags/${part(tag)}`,
  hints: (channel: string) => `/channels/${part(channel)}/tags/hints`,
  edit: (channel: string, tag: string) => `/channels/${part(channel)}/tags/${part(tag)}/edit`,
  newTag: (channel: string, kind: "combo" | "ad" | "return") => `/channels/${part(channel)}/tags/new/${kind}`,
  settings: (channel: string) => `/channels/${part(channel)}/settings`,
  person: (channel: string, openid: string) => `/channels/${part(channel)}/people?openid=${part(openid)}`,
  broadcast: (channel: string, id: string) => `/channels/${part(channel)}/broadcasts/${part(id)}`,
  sync: (channel: string, id?: string) => `/channels/${part(channel)}/sync${id ? `/${part(id)}` : ""}`,
  planSync: (channel: string, tag: string) => `/channels/${part(channel)}/sync?tags=${part(tag)}`,
};
