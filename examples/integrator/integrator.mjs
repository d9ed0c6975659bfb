// Report events of users and return lists of users, as an integrator does, in Node.js 18 or newer without packages.
//
// Shows three ways: recordEvents, submitReturnData, and the return-data call of the WeChat dialogue platform, for which
// an existing client only has to change the host.
//
// TOKEN=… CHANNEL=… APP_ID=wx… RETURN_ADDRESS=… RETURN_APP_ID=… RETURN_KEY=… OPENIDS=a,b [URL=http://127.0.0.1:8000] \
//   node integrator.mjs

import { createCipheriv, randomBytes, randomUUID } from "node:crypto";

const { URL: url = "http://127.0.0.1:8000", TOKEN, CHANNEL, APP_ID, OPENIDS = "" } = process.env;
const { RETURN_ADDRESS, RETURN_APP_ID, RETURN_KEY } = process.env;
const ATTEMPTS = 6;

for (const [name, value] of Object.entries({ TOKEN, CHANNEL, APP_ID, RETURN_ADDRESS, RETURN_APP_ID, RETURN_KEY })) {
  if (value) continue;
  console.error(`${name} is not set: the beginning of this program says what is needed.`);
  process.exit(1);
}

const RECORD = `
mutation Report($channel: ID!, $events: [UserEventInput!]!) {
  recordEvents(input: {channelId: $channel, events: $events}) { accepted rejected { index code reason } }
}`;
const SUBMIT = `
mutation ReturnData($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) {
    replayed receipt { id added unchanged newUsers duplicates rejected { index code } tag { id } }
  }
}`;

/** Send a request again, later each time, while nobody answers or patience is asked. It does no harm: events and tags do
 * not count repeats, and a list has an idempotency key. */
async function post(address, body) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` };
  for (let attempt = 1; ; attempt++) {
    try {
      const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
      if (answer.headers.get("content-type")?.includes("json") && answer.status !== 429) return await answer.json();
      if (attempt === ATTEMPTS) throw new Error(`HTTP ${answer.status}`);
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, 2 ** attempt * (125 + 125 * Math.random())));
  }
}

/** Return the data of one operation; throws the errors, which name the wrong inputs. */
async function execute(query, variables) {
  const { data, errors } = await post(`${url}/graphql`, { query, variables });
  if (errors) throw new Error(JSON.stringify(errors, null, 2));
  return data;
}

/** Encrypt 16 random bytes, the length, the message and the APPID with AES-256-CBC, padded to 32 bytes. */
function encrypt(xml, key, appId) {
  const secret = Buffer.from(`${key}=`, "base64");
  const message = Buffer.from(xml);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  const plain = Buffer.concat([randomBytes(16), length, message, Buffer.from(appId)]);
  const padding = 32 - (plain.length % 32);
  const cipher = createCipheriv("aes-256-cbc", secret, secret.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(padding, padding)), cipher.final()]).toString("base64");
}

/** Send a list in the platform's call, `{"encrypt": …}`; returns its answer, `{"errcode": 0, …}`. */
async function batchset(category, label, desc, openids) {
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const scalars = Object.entries({ appid: APP_ID, category, label, desc }).map(([name, text]) => `<${name}>${escaped(text)}</${name}>`);
  const people = openids.map((openid) => `<openid>${openid}</openid>`);
  const xml = `<xml>${scalars.join("")}<list>${people.join("")}</list></xml>`;
  return post(RETURN_ADDRESS, { encrypt: encrypt(xml, RETURN_KEY, RETURN_APP_ID) });
}

const openids = OPENIDS.split(",").filter((openid) => openid);
const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");

const paid = openids.map((openid) => ({ openid, kind: "PAYMENT", at: now }));
console.log(JSON.stringify((await execute(RECORD, { channel: CHANNEL, events: paid })).recordEvents));
// Sent again after a lost connection, the request returns the first receipt and changes nothing.
const gold = { channelId: CHANNEL, category: "Level", label: "Gold", openids, idempotencyKey: randomUUID() };
console.log(JSON.stringify((await execute(SUBMIT, { input: gold })).submitReturnData));
console.log(JSON.stringify(await batchset("会员等级", "金牌", "消费满一千元", openids)));
