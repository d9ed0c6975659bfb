/** What to tell a person about each code of the API: what happened, and what to do. */
export const problems = {
  UNAUTHENTICATED:
    "You are not signed in, or your token has expired. Sign in again; what you entered stays here.",
  FORBIDDEN: "Your role may not do this. Ask a creator or an admin of the robot.",
  NOT_FOUND: "This is no longer here, or belongs to another robot.",
  BAD_USER_INPUT: "Something that you entered is not right; see the fields.",
  CHANNEL_NOT_BOUND: "Tags can be used while a verified Official Account is bound, and this channel, too.",
  NAME_TAKEN: "Another tag of this category has the name. Choose another name.",
  CYCLE: "A combo cannot be made of itself. Take out the tag that contains this combo.",
  TAG_NOT_USABLE: "A tag that is used here is not in effect. Choose tags that are.",
  TAG_PROTECTED: "Default tags can be neither edited nor deleted.",
  LIMIT_EXCEEDED: "This is more than is allowed at once.",
  RATE_LIMITED: "Too many requests. It goes on in a moment.",
  PERSISTED_QUERY_NOT_FOUND: "This page is older than the service. Load it again.",
  PERSISTED_QUERY_NOT_SUPPORTED: "This page does not fit the service. Load it again.",
  PERSISTED_QUERY_ONLY: "This page does not fit the service. Load it again.",
  CONFLICT: "Somebody changed this in the meantime. Look at it again, then repeat.",
  UPSTREAM: "WeChat refused, or does not answer.",
  INTERNAL:
    "Something went wrong in the service. Try again; if it stays, tell whoever runs it the number below.",
  UNREACHABLE: "The service does not answer. Look at your connection; it goes on when it is back.",
  requestId: (id: string) => `Request ${id}`,
  errcode: (code: number) => `WeChat's code ${code}`,
  retryAfter: (seconds: number) => (seconds === 1 ? "Again in 1 second." : `Again in ${seconds} seconds.`),
};
