// Read which user to follow, and subscribe again after a lost connection; the four examples share this.
//
//   TOKEN=… CHANNEL=… OPENID=… [URL=http://127.0.0.1:8000] node graphql-ws.mjs

export const url = process.env.URL ?? "http://127.0.0.1:8000";
export const socketUrl = url.replace(/^http/, "ws") + "/graphql";
export const token = () => `Bearer ${process.env.TOKEN}`;

export const USER_TAGS = `
  subscription UserTags($channel: ID!, $openid: String!, $after: String) {
    userTags(channelId: $channel, openid: $openid, after: $after) {
      cursor
      reset
      tags { id category name }
      added { id name }
      removed { id name }
    }
  }
`;

// Show the events of `subscribe(variables)`, an async iterable of { data, errors } over one connection, for ever.
// A page needs to keep only the cursor of the last event that it showed.
export async function follow(subscribe) {
  let after = process.env.AFTER;
  for (;;) {
    try {
      const variables = { channel: process.env.CHANNEL, openid: process.env.OPENID, after };
      for await (const { data, errors } of subscribe(variables)) {
        if (errors?.length) throw new Error(errors[0].message);
        const event = data.userTags;
        after = event.cursor;
        show(event);
      }
    } catch (error) {
      console.error(`lost: ${error?.message ?? error?.reason ?? error}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function show({ reset, tags, added, removed }) {
  const names = (list) => list.map((tag) => tag.name);
  console.log(JSON.stringify({ reset, tags: names(tags), added: names(added), removed: names(removed) }));
}
