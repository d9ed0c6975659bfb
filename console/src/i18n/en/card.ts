import type { ChangeCause, DefaultTagRule, UserEventKind } from "../../api/generated/graphql";

const did: Record<UserEventKind, (when: string) => string> = {
  FOLLOW: (when) => `Followed ${when}.`,
  UNFOLLOW: (when) => `Unfollowed ${when}.`,
  MESSAGE: (when) => `Sent a message ${when}.`,
  MENU_CLICK: (when) => `Clicked the menu ${when}.`,
  SCAN: (when) => `Scanned a QR code ${when}.`,
  PAYMENT: (when) => `Paid ${when}.`,
};

const rules: Record<DefaultTagRule, string> = {
  NEW_USER: "Follows since less than 48 hours ago.",
  OLD_USER: "Follows, since an unknown time.",
  OPENED: "Has sent a message.",
  NOT_OPENED: "Has not sent a message since the channel was bound.",
  TOUCHABLE: "Did something lately that allows a message.",
  UNTOUCHABLE: "Did nothing lately that allows a message.",
  ADVERTISING: "Followed through an ad.",
  NON_ADVERTISING: "No follow through an ad is known since the channel was bound.",
};

const causes: Record<ChangeCause, string> = {
  EVENT: "The person did something",
  TIME_PASSED: "Time passed",
  RETURN_DATA: "Data was handed back",
  BATCH_UNDONE: "Returned data was undone",
  BATCH_EXPIRED: "Returned data expired",
  AD_FEED: "The ad platform told of a follow",
  IMPORT: "Followers or tags were imported",
  IDENTITY_LINKED: "The person's unionid became known",
  COMBO_REFRESHED: "A combo was refreshed",
  TAG_EDITED: "The tag was edited",
  TAG_DELETED: "The tag was deleted",
  TAG_LAPSED: "The tag lapsed",
  OPENID_MIGRATED: "The account was migrated",
  REPAIRED: "A difference was repaired",
  FORGOTTEN: "The person was forgotten",
};

export const card = {
  person: "Person",
  tags: "Tags",
  noTags: "No tags at the moment. They appear here as soon as there is one.",
  gateClosed:
    "Tags are shown while a verified Official Account is bound. Ask a creator or an admin to bind one.",
  channelUnbound: "This channel is not bound at present, so its tags are not shown.",
  unknownTitle: "Nobody is known by this openid",
  unknownText: (channel: string) =>
    `“${channel}” has never heard of this person. The card fills in by itself when it does: with a message, a follow, a menu click or returned data.`,
  forbiddenTitle: "Your role may not see people",
  forbiddenText: (role: string) =>
    `You are signed in as ${role}. Creators, admins and agents see people; ask a creator or an admin for a token of such a role.`,
  noPersonTitle: "No person was named",
  noPersonText: "The address of this card needs ?channel= and &openid=.",
  since: (when: string) => `since ${when}`,
  left: "left just now",
  arrived: "new",
  ends: "ends in",
  did,
  rules,
  longFollower: (when: string) => `Followed ${when}, so no longer new.`,
  touchableUntil: (did: string, until: string) => `${did} Touchable until ${until}.`,
  ads: (ids: string) => `Came from the ads ${ids}.`,
  returned: (when: string, by: string | null) =>
    by === null ? `In the list returned ${when}.` : `In the list that ${by} returned ${when}.`,
  moreLists: (n: number) => (n === 1 ? "And in one list more." : `And in ${n} lists more.`),
  fromOfficialAccount: (when: string) => `Had the tag at WeChat when it was imported ${when}.`,
  has: (tags: string) => `Has ${tags}.`,
  lacks: (tags: string) => `Has not ${tags}.`,
  reach: "Writing to this person",
  touchable: "Touchable",
  touchableFor: "for",
  untouchable: "Not touchable",
  untouchableText: "Nothing that the person did lately allows a message.",
  reply: "Replies",
  replyFor: (left: number | null) =>
    left === null ? "any number, for" : left === 1 ? "one left, for" : `${left} left, for`,
  noReply: "None: WeChat takes five answers within 48 hours of a message.",
  replyNote:
    "As far as events and the messages of broadcasts tell; answers of other programs are not counted.",
  follows: "Follows",
  doesNotFollow: "Does not follow",
  facts: "Facts",
  openid: "OpenID",
  unionid: "UnionID",
  unionidUnknown: "not known",
  followedAt: "Followed",
  unfollowedAt: "Unfollowed",
  lastMessageAt: "Last message",
  firstSeenAt: "First seen",
  scene: "How they came",
  adIds: "Ads",
  never: "never, as far as is known",
  samePerson: "Same person elsewhere",
  noSamePerson: "Not known on another channel of this robot.",
  samePersonUnknown: "Whether the person is on another channel is known once the unionid is.",
  history: "History",
  noHistory: "No change of tags in the time that is kept.",
  historyEnd: "Further back nothing is kept.",
  gained: "gained",
  lost: "lost",
  deleted: "deleted since",
  causes,
  connecting: "Connecting …",
  live: "Live",
  reconnecting: "Reconnecting … what changes meanwhile will be made up for.",
  caughtUp: (n: number) =>
    n === 0
      ? "Live again; nothing had changed meanwhile."
      : n === 1
        ? "Live again: one change came meanwhile."
        : `Live again: ${n} changes came meanwhile.`,
  caughtUpAnew: "Live again: everything was loaded anew.",
  offline: "Not live: changes are looked for every 15 seconds.",
  waitingTitle: "Waiting to be signed in",
  waitingText: "The page around this card has to hand over a token.",
  embedTitle: "This page may not embed the card",
  embedText: "Its origin is not among those that the service allows (USER_TAGS_EMBED_ORIGINS).",
};
