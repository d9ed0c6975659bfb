// An integrator in Node.js 18 or newer, without any package: reports what people did, and hands back lists of people.
//
// Shows the three ways in: recordEvents, submitReturnData, and the platform's own return-data call, for which an
// existing client only has to change the host.
//
// TOKEN=… CHANNEL=… APP_ID=wx… RETURN_ADDRESS=… RETURN_APP_ID=… RETURN_KEY=… OPENIDS=a,b [URL=http://127.0.0.1:8000] \
//   node integrator.mjs

import { createCipheriv, randomBytes } from "node:crypto";

const { URL: url = "http://127.0.0.1:8000", TOKEN, CHANNEL, APP_ID, OPENIDS } = process.env;
const { RETURN_ADDRESS, RETURN_APP_ID, RETURN_KEY } = process.env;

const RECORD = `
mutation Report($channel: ID!, $events: [UserEventInput!]!) {
  recordEvents(input: {channelId: $channel, events: $events}) { accepted rejected { index code reason } }
}`;
const SUBMIT = `
mutation HandBack($input: SubmitReturnDataInput!) {
  submitReturnData(input: $input) {
    replayed receipt { id added unchanged newUsers duplicates rejected { index code } tag { id } }
  }
}`;

async function post(address, body) {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${TOKEN}` };
  const answer = await fetch(address, { method: "POST", headers, body: JSON.stringify(body) });
  return answer.json();
}

/** One operation; a refusal says what was wrong with which input. */
async function ask(query, variables) {
  const { data, errors } = await post(`${url}/graphql`, { query, variables });
  if (errors) throw new Error(JSON.stringify(errors, null, 2));
  return data;
}

/** AES-256-CBC over 16 random bytes, the length, the message and the robot's APPID, padded to 32. */
function sealed(xml, key, appId) {
  const secret = Buffer.from(`${key}=`, "base64");
  const message = Buffer.from(xml);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(message.length);
  const plain = Buffer.concat([randomBytes(16), length, message, Buffer.from(appId)]);
  const padding = 32 - (plain.length % 32);
  const cipher = createCipheriv("aes-256-cbc", secret, secret.subarray(0, 16)).setAutoPadding(false);
  return Buffer.concat([cipher.update(plain), cipher.update(Buffer.alloc(padding, padding)), cipher.final()]).toString("base64");
}

/** The platform's call: `{"encrypt": …}` in, `{"errcode": 0, …}` out. */
async function batchset(category, label, desc, openids) {
  const escaped = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  const scalars = Object.entries({ appid: APP_ID, category, label, desc }).map(([name, text]) => `<${name}>${escaped(text)}</${name}>`);
  const people = openids.map((openid) => `<openid>${openid}</openid>`);
  const xml = `<xml>${scalars.join("")}<list>${people.join("")}</list></xml>`;
  return post(RETURN_ADDRESS, { encrypt: sealed(xml, RETURN_KEY, RETURN_APP_ID) });
}

const openids = OPENIDS.split(",");
const now = new Date().toISOString().replace(/\.\d+Z$/, "Z");

const paid = openids.map((openid) => ({ openid, kind: "PAYMENT", at: now }));
console.log(JSON.stringify((await ask(RECORD, { channel: CHANNEL, events: paid })).recordEvents));
// Sent again with the same key after a lost connection, it answers with the first receipt and changes nothing.
const gold = { channelId: CHANNEL, category: "Level", label: "Gold", openids, idempotencyKey: `gold-${now}` };
console.log(JSON.stringify((await ask(SUBMIT, { input: gold })).submitReturnData));
console.log(JSON.stringify(await batchset("会员等级", "金牌", "消费满一千元", openids)));
