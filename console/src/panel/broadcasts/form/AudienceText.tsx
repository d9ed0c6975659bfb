export function AudienceText({ audience }: { channel: string; audience: string }) {
  return <code>{audience}</code>;
}
