import type { HeldReason, JobState, WaitReason } from "../../api/generated/graphql";

/** What a broadcast waits for, and what somebody can do about it; empty where nothing is to be done. */
interface Wait {
  readonly what: string;
  readonly todo: string;
}

/** Words for everything that a broadcast may say of itself; for what a newer service adds there is `other`. */
export const broadcastReasons = {
  states: {
    QUEUED: "Queued",
    WAITING: "Waiting",
    WAITING_FOR_APPROVAL: "Waiting for approval",
    RUNNING: "Sending",
    PAUSED: "Paused",
    DONE: "Done",
    FAILED: "Failed",
    CANCELLED: "Cancelled",
  } satisfies Record<JobState, string>,
  otherState: "Waiting",
  waits: {
    START_TIME: { what: "It waits for its start.", todo: "" },
    QUIET_HOURS: {
      what: "It waits for the end of quiet hours.",
      todo: "Nothing needs to be done. A creator may make a broadcast that is sent in quiet hours.",
    },
    HOLIDAY: { what: "It waits for the end of a holiday.", todo: "Nothing needs to be done." },
    QUOTA: {
      what: "WeChat takes no more calls of the account today. It goes on the next day.",
      todo: "Nothing needs to be done; a larger quota is WeChat's to give.",
    },
    RATE: {
      what: "It waits for another broadcast of the channel, for WeChat's limit by the minute, or for an answer that did not come.",
      todo: "Nothing needs to be done. What is uncertain is looked into meanwhile.",
    },
    OPERAND: { what: "A tag of the audience is still taking effect.", todo: "Nothing needs to be done." },
    SECOND_ADMIN: {
      what: "It waits for the approval of another admin or creator than who made it or changed it last.",
      todo: "Let one of them approve it here. What nobody approves within seven days of its start is cancelled.",
    },
    WECHAT_ADMIN: {
      what: "WeChat has asked the administrator of the account.",
      todo: "Confirm it at WeChat. It is asked again every five minutes, and at once if you ask again here.",
    },
    LATE_START: {
      what: "The start was missed by more than the policy allows.",
      todo: "Send it late, or cancel it.",
    },
    DUPLICATE: {
      what: "Some of these people got the same content lately, or are to get it.",
      todo: "Send it all the same, or cancel it.",
    },
    REFUSED_MESSAGE: {
      what: "WeChat refused the message itself. Nobody else was bothered with it.",
      todo: "Mend the template or the draft at WeChat, then resume. For another message cancel it, and send a new one to the same audience except who received this one.",
    },
    CONFIGURATION: {
      what: "WeChat refused the account or its credentials.",
      todo: "Mend what is named below (app secret, IP whitelist, verification; for subscription accounts a synced or a temporary tag), then try the account again.",
    },
    OPERATOR: {
      what: "Somebody paused it, or the service's database was copied or restored.",
      todo: "Resume it once it is right to go on.",
    },
  } satisfies Record<WaitReason, Wait>,
  otherWait: { what: "It waits.", todo: "" },
  held: {
    NOT_FOLLOWING: "do not follow",
    BLACKLISTED: "are on the account's blacklist",
    OUT_OF_WINDOW: "wrote too long ago for customer service",
    WINDOW_USED_UP: "got five messages since they wrote",
    NO_CONSENT: "have not allowed a message of this template",
    MONTHLY_LIMIT: "got four mass messages this month",
    HOLD_OUT: "are held out, to compare with",
    FREQUENCY_CAP: "got as many messages as the policy allows",
    ONCE_ONLY: "got, or are to get, another one that counts people once with this",
    ALREADY_RECEIVED: "got it in another run, or had got it after all",
    NO_VALUE: "have no value for a placeholder without a fallback",
    REMOTE_TAG_LIMIT: "have 20 tags at WeChat, and no room for a temporary one",
    AUDIENCE_TOO_SMALL: "is the only one left, and a mass message goes to two at least",
    FORGOTTEN: "were forgotten before it was their turn",
  } satisfies Record<HeldReason, string>,
  otherHeld: "are held back for another reason",
};
