const part = encodeURIComponent;

/** Addresses of the pages about webhooks. */
export const paths = {
  list: () => "/webhooks",
  make: () => "/webhooks/new",
  endpoint: (id: string) => `/webhooks/${part(id)}`,
  edit: (id: string) => `/webhooks/${part(id)}/edit`,
  delivery: (endpoint: string, id: string) => `/webhooks/${part(endpoint)}?delivery=${part(id)}`,
};
