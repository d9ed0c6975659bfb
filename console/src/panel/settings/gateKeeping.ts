interface Account {
  readonly id: string;
  readonly kind: string;
  readonly bound: boolean;
  readonly verified: boolean;
}

/** Tells whether a channel alone keeps the gate of the robot open: the only bound, verified Official Account. */
export function isLastKey(channel: Account, channels: readonly Account[]): boolean {
  return opens(channel) && !channels.some((other) => other.id !== channel.id && opens(other));
}

function opens({ kind, bound, verified }: Account): boolean {
  return bound && verified && kind !== "MINI_PROGRAM";
}
