import type { BroadcastPolicyInput, RulesOfBroadcastsFragment } from "../../../api/generated/graphql";

/** As the service shows a start that is never asked about. */
export const NEVER = 2_147_483_647;

/** Holds the policy as it stands in the form; numbers as typed, empty for "no such rule". */
export interface PolicyForm {
  readonly timeZone: string;
  readonly quiet: boolean;
  readonly from: string;
  readonly to: string;
  readonly respectHolidays: boolean;
  readonly perDay: string;
  readonly rolling: boolean;
  readonly rollingMessages: string;
  readonly rollingDays: string;
  readonly approvalAbove: string;
  /** In minutes. */
  readonly missed: string;
  readonly duplicateDays: string;
}

/** Returns the form of a policy. */
export function formOf(rules: RulesOfBroadcastsFragment): PolicyForm {
  const { quietHours, perPersonRolling, missedStartAfter } = rules;
  return {
    timeZone: rules.timeZone,
    quiet: quietHours !== null,
    from: quietHours?.from ?? "21:00",
    to: quietHours?.to ?? "09:00",
    respectHolidays: rules.respectHolidays,
    perDay: textOf(rules.perPersonPerDay),
    rolling: perPersonRolling !== null,
    rollingMessages: textOf(perPersonRolling?.messages ?? 3),
    rollingDays: textOf(perPersonRolling?.days ?? 7),
    approvalAbove: textOf(rules.approvalAbove),
    missed: missedStartAfter === NEVER ? "" : textOf(missedStartAfter / 60),
    duplicateDays: textOf(rules.duplicateWithinDays),
  };
}

/** Returns what a form changes of the policy that it was made of, so that nobody else's change is taken back. */
export function changesOf(form: PolicyForm, before: PolicyForm): Omit<BroadcastPolicyInput, "channelId"> {
  const now = rulesOf(form);
  const then = rulesOf(before);
  const changed = Object.entries(now).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(then[name as keyof typeof then]),
  );
  return Object.fromEntries(changed);
}

function rulesOf(form: PolicyForm): Required<Omit<BroadcastPolicyInput, "channelId">> {
  const minutes = numberOf(form.missed);
  return {
    timeZone: form.timeZone.trim() || null,
    quietHours: form.quiet ? { from: form.from, to: form.to } : null,
    respectHolidays: form.respectHolidays,
    perPersonPerDay: numberOf(form.perDay),
    perPersonRolling: form.rolling
      ? { messages: numberOf(form.rollingMessages) ?? 0, days: numberOf(form.rollingDays) ?? 0 }
      : null,
    approvalAbove: numberOf(form.approvalAbove),
    missedStartAfter: minutes === null ? null : Math.min(NEVER, Math.round(minutes * 60)),
    duplicateWithinDays: numberOf(form.duplicateDays),
  };
}

/** Tells whether a change of the threshold of approvals is for creators only: it is set, raised or ended. */
export function loosensApproval(form: PolicyForm, before: PolicyForm): boolean {
  const [now, then] = [numberOf(form.approvalAbove), numberOf(before.approvalAbove)];
  if (now === then) return false;
  return now === null || then === null || now > then;
}

function textOf(value: number | null | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}

function numberOf(text: string): number | null {
  const value = text.trim() === "" ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : null;
}
