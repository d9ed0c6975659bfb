export function AudienceField(_: {
  channel: string;
  audience: string;
  error: string | null;
  onChange: (audience: string) => void;
}) {
  return null;
}
