export interface Call {
  readonly address: string;
  /** APPID of the robot, which ends the envelope. */
  readonly robotAppId: string;
  /** EncodingAESKey; null while it is hidden. */
  readonly key: string | null;
  /** App id of the channel. */
  readonly appId: string;
  /** What stands for the key while it is hidden. */
  readonly keyHidden: string;
}

/**
 * Returns a shell script that returns one person by the platform's call (docs/specification.md §9.1). It needs curl and
 * openssl: the message is encrypted with AES-256-CBC after 16 random bytes and its length, padded to 32 bytes.
 */
export function callScript({ address, robotAppId, key, appId, keyHidden }: Call): string {
  return `KEY='${key ?? keyHidden}'
APPID='${robotAppId}'
XML='<xml><appid>${appId}</appid><category>Level</category><label>Gold</label><desc>Gold customers</desc><list><openid>oAda</openid></list></xml>'

byte() { printf "\\\\$(printf %03o "$1")"; }
length=$(printf %s "$XML" | wc -c)
pad=$((32 - (20 + length + $(printf %s "$APPID" | wc -c)) % 32))
plain() {
  head -c 16 /dev/urandom
  for shift in 24 16 8 0; do byte $((length >> shift & 255)); done
  printf %s "$XML$APPID"
  for _ in $(seq $pad); do byte $pad; done
}
hex=$(printf %s "$KEY=" | base64 -d | od -An -v -tx1 | tr -d ' \\n')
iv=$(printf %s "$hex" | cut -c 1-32)
encrypt=$(plain | openssl enc -aes-256-cbc -nopad -K "$hex" -iv "$iv" | base64 | tr -d '\\n')
curl -s '${address}' -H 'Content-Type: application/json' -d "{\\"encrypt\\": \\"$encrypt\\"}"
`;
}
