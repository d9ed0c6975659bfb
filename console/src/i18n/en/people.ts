export const people = {
  heading: "People",
  description:
    "Find somebody by openid: their tags as they change, with why and until when, and their history.",
  openid: "OpenID of the person",
  openidHint: "As WeChat calls the person on this channel. People have no names here.",
  find: "Find",
  noneTitle: "Whom are you looking for?",
  noneText:
    "Enter an openid above. It stands in your chat program, in exports and in the receipts of returned data.",
  conversation: "Conversation",
  forget: "Forget …",
  forgetReason: "Creators and admins forget people.",
  forgetTitle: "Forget this person?",
  forgetDeletes:
    "This deletes what identifies the person: openid, unionid, what they did and when, the ads they came by, and the history of their tags. It cannot be undone.",
  forgetKeeps:
    "They leave all tags, and counts go down by one. Receipts and reports keep their numbers. For 90 days a keyed hash stays, so that late repeats of old events do not bring the person back.",
  forgetLater: "What the person does from now on makes a new person, who begins without a past.",
  forgetAtWechat: "At WeChat nothing changes: whoever follows goes on following.",
  forgetConfirm: "Forget the person",
  forgotten: "The person was forgotten.",
  notKnown: "There was nobody to forget: the channel does not know this openid.",
};
