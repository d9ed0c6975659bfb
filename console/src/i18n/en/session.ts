export const session = {
  heading: "Sign in",
  lead: "This console asks for a token, which says who you are and what your role may do.",
  token: "Token",
  tokenHint:
    "A JWT for the robot, as your login service issues it. It is kept in the memory of this tab only.",
  signIn: "Sign in",
  demo: "In the demo, the terminal where it was started shows a link for each role that signs you in.",
  waiting: "Or wait here: the page that opened this one may hand a token over.",
  malformed: "This is not a token: a token has three parts with dots between them. Copy all of it.",
  outdated: (since: string) => `This token expired on ${since}. Ask your login service for a new one.`,
  refused: "The service does not take this token. It may be expired, or not meant for this service.",
  expiredTitle: "Your sign-in has expired",
  expiredText:
    "The page and what you entered stay as they are. Paste a new token, and everything goes on; your login page or another tab may hand one over, too.",
  goOn: "Go on",
  until: (time: string) => `Token good until ${time}`,
};
