/** Returns the address of the audit log: of all that was done, or of what was done to one object. */
export function auditPath(target?: string): string {
  return target ? `/audit?target=${encodeURIComponent(target)}` : "/audit";
}
