const plural = (count: string, one: string, many: string) => `${count} ${count === "1" ? one : many}`;

/** What the past is asked for and cannot tell. */
export const past = {
  tooEarly: "That is longer ago than is known",
  earliest: (when: string) => `The earliest instant is ${when}.`,
  fromEarliest: "Take that one",
};

export const lookingBack = {
  heading: "As of",
  description: "Who it is now, or who it was at an earlier time.",
  now: "Now",
  hour: "An hour ago",
  day: "A day ago",
  week: "A week ago",
  exact: "Exact time",
  exactHint: "In your time zone.",
  exactWrong: "Choose a day and a time.",
  exactAhead: "That is still to come.",
  show: "Show",
  withReceived: "Who received a broadcast is known of now only: take it out to look back.",
  asItWas: (when: string) => `As it was ${when}`,
  asItWasHint:
    "What is counted is of then, by what was known then. Each tag counts with what it showed then, and the figures at the parts of the expression are of now. Whoever was forgotten since is left out.",
  backToNow: "Back to now",
  sizes: "Then and now",
  which: "Who",
  parts: { count: "People", followers: "Follow", touchable: "Can be written to" },
  atThatTime: "Then",
  difference: "Since then",
  peopleHint: "Who was in it then, each as they are now.",
  overlapReason: "How tags overlap is known of now only.",
  comboReason: "A combo has the people of now; go back to now to save one.",
  broadcastReason: "A broadcast goes to the people of now; go back to now to send one.",
  exportReason: "A file has the people of now; go back to now to export them.",
  forecastReason: "What is foreseen begins now; go back to now to see it.",
};

export const forecast = {
  heading: "Who can still be reached",
  description:
    "How many of those who can be written to now still can be at each full hour, if nobody does anything. Whoever writes, clicks, scans, pays or follows meanwhile can be reached for longer.",
  ask: "Look ahead",
  close: "Put away",
  span: "How far",
  spans: { "24": "24 hours", "48": "48 hours", "168": "7 days" },
  nobody: "Nobody of them can be written to now.",
  half: (when: string, now: string) =>
    `Until ${when} at least half of the ${now} can still be reached who can be now.`,
  halfOne: (when: string) => `Until ${when} the one person who can be written to now still can be.`,
  tooLate: (now: string) =>
    `Within the hour fewer than half of the ${now} can be reached who can be written to now.`,
  wholeSpan: (when: string, now: string) =>
    `At least half of the ${now} who can be written to now can be reached throughout, until ${when}.`,
  none: (when: string) => `From ${when} on nobody of them can be.`,
  left: (when: string, count: string) =>
    `At the end, ${when}, ${plural(count, "person is", "people are")} left.`,
  plan: "Plan a broadcast to begin by then",
  planNow: "Plan a broadcast",
  planNotYours: "Only creators and admins send broadcasts.",
  halfLine: "half",
  table: "Hour by hour",
  at: "At",
  count: "Can be reached",
  share: "Of those now",
};

export const flow = {
  heading: "Who came and who left",
  span: "Since when",
  spans: { day: "24 hours", week: "7 days", month: "30 days" },
  entered: (count: string) => `${plural(count, "person", "people")} came`,
  left: (count: string) => `${count} left`,
  more: (count: string) => `${count} more than then.`,
  fewer: (count: string) => `${count} fewer than then.`,
  same: "As many as then.",
  sentence: (since: string, came: string, left: string, change: string) =>
    `Since ${since} ${came} and ${left}: ${change}`,
  nothing: (since: string) => `Since ${since} nobody came and nobody left.`,
  twice: "Who came, left and came again is counted twice; forgotten people are left out.",
  shortened: (when: string) => `No further back than ${when} is known, so it is counted since then.`,
  closed: "It is told while a verified Official Account is bound.",
  byCause: "By cause",
  cause: "Why",
  came: "Came",
  went: "Left",
  until: "Counted up to",
  again: "Count again",
  causes: {
    EVENT: "They did something: followed, wrote, clicked, scanned, paid",
    TIME_PASSED: "Time passed",
    RETURN_DATA: "Data was handed back",
    BATCH_UNDONE: "A list was undone",
    BATCH_EXPIRED: "A list expired",
    AD_FEED: "The ad platform told of them",
    IMPORT: "Followers or tags were imported",
    IDENTITY_LINKED: "It became known who they are elsewhere",
    COMBO_REFRESHED: "The combo was refreshed",
    TAG_EDITED: "The tag was edited",
    TAG_DELETED: "A tag was deleted",
    TAG_LAPSED: "The tag lapsed",
    TAG_MERGED: "Tags were merged",
    OPENID_MIGRATED: "The account was migrated",
    REPAIRED: "A difference was repaired",
    FORGOTTEN: "They were forgotten",
  },
};

export const hints = {
  heading: "Hints",
  description: "What is worth a look about the tags of this channel, by who has them now; the gravest first.",
  refresh: "Look again",
  looking: "All tags are being compared; that takes a few seconds in a large channel.",
  found: (count: string) => plural(count, "hint", "hints"),
  most: "More than 200 are not shown: mend these, and look again.",
  none: "Nothing strikes the eye",
  noneHint: "No two tags are the same or contradict each other, and each is used.",
  notYours: "Who has which tags is for creators, admins and agents.",
  list: "What is worth a look",
  kinds: {
    DISJOINT: "Contradiction",
    EQUAL: "The same",
    EMPTY: "Empty",
    SUBSET: "Contained",
    UNUSED: "Unused",
  },
  texts: {
    DISJOINT: (tag: string, other: string) =>
      `Nobody has both ${tag} and ${other}, but a combo asks for both.`,
    EQUAL: (tag: string, other: string, people: string) =>
      `${tag} and ${other} have the same people: ${plural(people, "person", "people")}.`,
    EMPTY: (tag: string) => `Nobody has ${tag}.`,
    SUBSET: (tag: string, other: string, people: string, all: string) =>
      `Everybody with ${tag} has ${other}, too: ${people} of ${plural(all, "person", "people")}.`,
    UNUSED: (tag: string) =>
      `Nothing uses ${tag}: no combo, no broadcast to come, no webhook, no tag of the Official Account.`,
  },
  quoted: (name: string) => `“${name}”`,
  advice: {
    DISJOINT: "Such a combo stays empty. Look at what uses the tag, and choose another.",
    EQUAL: "One of the two may do.",
    EMPTY: "Hand data back to it, edit it, or delete it.",
    SUBSET:
      "Where a combo asks for both, the smaller one alone does; where it asks for either, the larger one.",
    UNUSED: "Delete it if nobody looks at it either.",
  },
  overlap: "Overlap",
  merge: "Merge",
  edit: "Edit",
  delete: "Delete",
  notManager: "Only creators and admins merge, edit and delete tags.",
};

export const whyNot = {
  heading: "Why not?",
  description: "Choose a tag, and read why this person does not have it.",
  search: "Tag",
  searchHint: "Part of its category or name.",
  found: "Tags found",
  noneFound: "No tag has that in its category or name.",
  most: (shown: string, all: string) => `${shown} of ${all} tags; type more to find others.`,
  has: (tag: string) => `This person has “${tag}”: the card says why.`,
  hasNot: (tag: string) => `Why this person does not have “${tag}”`,
  gone: "There is no such tag on this channel.",
  other: "Choose another tag",
};
